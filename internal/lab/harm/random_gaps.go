package harm

// RandomWorlds is how many random worlds the test tries unless told.
const RandomWorlds = 200

// RandomWilds is how many wild worlds the test tries unless told.
const RandomWilds = 96

// WildGaps are the seeds of wild worlds, as RandomGaps are of random ones.
var WildGaps = map[uint64]string{
	12: "sticky nodes: served 588, not 1020",
	14: "limit in flight: served 1837, not 2194",
	28: "sticky nodes: served 2204, not 2640",
	29: "slow responses: served 1417, not 1600",
	30: "limit in flight: refused 2863 of 5269, not 2660 of 5014",
	34: "limits by header: refused 1859 of 2968, not 1739 of 2856",
	40: "limit changes: served 1195, not 1360",
	41: "deploy: served 2366, not 2812",
	51: "limits by body: refused 1733 of 2799, not 1588 of 2646",
	52: "limits by method: served 328, not 414",
	53: "limits by id: served 2038, not 2323",
	62: "limit in flight: served 1659, not 1952",
	65: "pool, route limited alone: served 725, not 865",
	77: "slow responses: served 422, not 612",
	78: "limit in flight: served 1921, not 2267",
	93: "slow responses: served 1203, not 1351",
	94: "limit in flight: served 1098, not 1634",
	95: "sheds: served 1023, not 1174",
}

// RandomGaps are the seeds of the random worlds in which a program is still worse off with
// forbear, with their kinds and by what. The test fails when a world is clearly no
// longer so.
var RandomGaps = map[uint64]string{
	2:   "fixed + routes: refused 5 of 1270, not 1 of 1266",
	11:  "bucket, silent + sheds in bursts + sheds 429: served 1030, not 2477",
	18:  "from the first request + clock jumps: served 1360, not 1700",
	83:  "fixed, silent + sheds in bursts: served 1562, not 3318",
	87:  "rolling + sheds 5xx: served 153, not 176",
	93:  "rolling + sheds in bursts: served 910, not 1028",
	106: "weighed, short + sheds 5xx + sheds in bursts: served 135, not 153",
	111: "bucket, short + slow node + sheds 429: served 271, not 363",
	116: "rolling, short + sheds in bursts: served 182, not 209",
	117: "rolling + bad words: served 932, not 1140",
	141: "fixed, silent + sheds 429: refused 64 of 911, not 60 of 905",
	179: "weighed, short + slow node + sheds in bursts: served 172, not 218",
	186: "weighed, short + clock jumps: served 244, not 280",
}
