package when

import (
	"strings"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// cues are the words with which a sentence begins to speak of waiting.
var cues = [...]string{
	"try again", "retry", "replenished", "wait", "available", "reset", "banned", "suspended", "blocked", "locked out", "come back",
	"back off", "backoff", "cooldown", "cool down", "cooling", "until", "lifted", "next request", "ban expires", "expires in", "resume",
	"refill", "renew", "refresh", "restored", "another request", "another call", "next call", "next allowed", "limited for",
	"paused for", "pause for", "hold off", "minimum delay", "time remaining", "time left", "call after",
	"try after", "request after", "api after", "ponownie", "riprova", "tente", "reintente", "intente", "inténte", "intentar",
	"réessay", "réessai", "patienter", "attendre", "attendez", "erneut", "nächster versuch", "versuchen", "warten",
	"espere", "espera", "aguarde", "attendi", "probeer", "wacht", "spróbuj", "повтор", "попробуйте", "подожд", "request this",
	"disponible", "disponível", "disponibile", "verfügbar", "beschikbaar", "försök", "prøv", "yritä", "znovu", "thử lại", "coba lagi",
	"tunggu",
}

// wordsBefore are the words that a length of time or a moment may follow in such a sentence.
var wordsBefore = setOf(`in after wait for until till at by retry retry-after retryafter retry_after again least reset resets on is
	approximately about of backoff cooldown time seconds another remaining left
	sie nach durch über versuch warten dans patienter attendre attendez en espere espera aguarde em attendi tra fra over wacht za po через
	om sau dalam tunggu`)

// wordsBehind are the words for waiting that may follow a length of time.
var wordsBehind = setOf("remaining left warten wachten odczekać bekleyin bekleyiniz sonra kuluttua")

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// numbers are the numbers that servers write as words.
var numbers = map[string]string{
	"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "eight": "8", "ten": "10", "twelve": "12", "fifteen": "15",
	"twenty": "20", "thirty": "30", "forty": "40", "sixty": "60", "ninety": "90",
}

// waitInWords reads a length of time without a number, of which one is the first word:
// a minute, half an hour, and the next minute, whose article was skipped.
func waitInWords(one string, words []string) (Reset, bool) {
	half := false
	switch one {
	case "half":
		if len(words) < 3 || words[1] != "an" && words[1] != "a" {
			return Reset{}, false
		}
		half, words = true, words[1:]
	case "a", "an", "one", "une", "un", "una", "uma", "um", "eine", "einer", "einem", "een":
	case "second", "minute", "hour":
		unit := scan.UnitOf(one)
		return Reset{In: unit, Resolution: unit}, true
	default:
		return Reset{}, false
	}
	if len(words) < 2 {
		return Reset{}, false
	}
	unit := scan.UnitOf(inEnglish(strings.Trim(words[1], ".!;:")))
	if unit == 0 || len(words[1]) < 3 {
		return Reset{}, false
	}
	if half {
		unit /= 2
	}
	return Reset{In: unit, Resolution: unit}, true
}

// withoutMore makes "30 seconds" of "30 more seconds".
func withoutMore(words []string) []string {
	if len(words) > 2 && words[1] == "more" {
		return append([]string{words[0]}, words[2:]...)
	}
	return words
}

// inEnglish returns the unit of time that another language names by a word.
func inEnglish(word string) string {
	if plain := foreignUnits[word]; plain != "" {
		return plain
	}
	return word
}

// foreignUnits are the units of time in other languages.
var foreignUnits = map[string]string{
	"sekunden": "s", "sekunde": "s", "sekund": "s", "sekundach": "s", "sekundy": "s", "segundos": "s", "segundo": "s", "secondes": "s",
	"seconde": "s", "secondi": "s", "секунд": "s", "секунды": "s", "minuten": "m", "minutos": "m", "minuto": "m", "minuti": "m", "minut": "m",
	"minutach": "m", "минут": "m", "минуты": "m", "stunden": "h", "stunde": "h", "horas": "h", "hora": "h", "heures": "h", "heure": "h",
	"ore": "h", "godzin": "h", "часов": "h", "seconden": "s", "minuut": "m", "uur": "h", "uren": "h", "секунду": "s", "минуту": "m",
	"sekunder": "s", "minuter": "m", "minutter": "m", "timmar": "h", "timer": "h", "sekunnin": "s", "minuutin": "m", "tunnin": "h",
	"saniye": "s", "dakika": "m", "saat": "h", "giây": "s", "phút": "m", "giờ": "h", "detik": "s", "menit": "m", "jam": "h",
	"minuty": "m", "hodin": "h", "hodiny": "h",
}
