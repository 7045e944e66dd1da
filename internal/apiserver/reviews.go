package apiserver

import (
	"net/http"
	"strconv"
	"time"
)

const (
	reviewCount      = 3000
	reviewsPerPage   = 100
	maxReviewsPage   = 500
	reviewsPerCredit = 100
)

type review struct {
	ID      int       `json:"id"`
	AppID   string    `json:"app_id"`
	Country string    `json:"country"`
	Date    time.Time `json:"date"`
	Rating  int       `json:"rating"`
	Title   string    `json:"title"`
}

type reviewPage struct {
	Data []review   `json:"data"`
	Meta reviewMeta `json:"meta"`
}

type reviewMeta struct {
	CreditsUsed int    `json:"credits_used"`
	Total       int    `json:"total"`
	NextCursor  string `json:"next_cursor,omitempty"`
}

// reviews answers one page.
func (p *Pullbay) reviews(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	app, sort := q.Get("app_id"), q.Get("sort")
	limit, okLimit := number(q.Get("limit"), reviewsPerPage, 1, maxReviewsPage)
	from, okCursor := number(q.Get("cursor"), 0, 0, reviewCount)
	if app == "" || !okLimit || !okCursor || sort != "" && sort != "date_desc" && sort != "date_asc" {
		writeJSON(w, http.StatusBadRequest, p.failure("invalid_request", "A parameter is missing or wrong."))
		return
	}
	to := min(from+limit, reviewCount)
	page := reviewPage{Data: make([]review, 0, to-from)}
	for i := from; i < to; i++ {
		n := i
		if sort != "date_asc" {
			n = reviewCount - 1 - i
		}
		page.Data = append(page.Data, makeReview(app, n))
	}
	page.Meta = reviewMeta{CreditsUsed: max(1, (to-from+reviewsPerCredit-1)/reviewsPerCredit), Total: reviewCount}
	if to < reviewCount {
		page.Meta.NextCursor = strconv.Itoa(to)
	}
	p.spend(p.KeyOf(r), page.Meta.CreditsUsed)
	writeJSON(w, http.StatusOK, page)
}

// makeReview makes up the n-th review of an app, the same at every call.
func makeReview(app string, n int) review {
	countries := [...]string{"us", "ca", "uk", "de", "fr", "jp"}
	titles := [...]string{"Crashes", "Slow", "Fine", "Good", "Love it"}
	rating := n*7%5 + 1
	return review{
		ID: n + 1, AppID: app, Country: countries[n*11%len(countries)],
		Date:   time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Hour),
		Rating: rating, Title: titles[rating-1],
	}
}

// number reads a parameter that may be absent.
func number(s string, absent, least, most int) (int, bool) {
	if s == "" {
		return absent, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= least && n <= most
}
