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
	4:   "weighed + ids: served 1580, not 3056",
	5:   "from the first request, short + sheds in bursts: served 101, not 501",
	11:  "bucket, silent + sheds in bursts + sheds 429: served 2025, not 2477",
	12:  "weighed + bad words: served 1730, not 2095",
	18:  "from the first request + clock jumps: served 1360, not 1700",
	23:  "bucket, short + routes: served 2699, not 3023",
	26:  "bucket, short + sheds 5xx: served 419, not 486",
	35:  "fixed, short + clock jumps: served 4510, not 5755",
	61:  "weighed: served 321, not 372",
	67:  "rolling, short: served 4034, not 4932",
	72:  "weighed, short + bad words: served 2555, not 2979",
	76:  "fixed, short: served 683, not 793",
	78:  "rolling, short + costs: served 16855220, not 19284132",
	86:  "weighed: served 342, not 442",
	87:  "rolling + sheds 5xx: served 153, not 176",
	89:  "fixed, short + bad words: served 347, not 445",
	93:  "rolling + sheds in bursts: served 910, not 1028",
	96:  "from the first request, short + slow node: served 136, not 328",
	97:  "fixed, short + routes + clock jumps: served 430, not 1073",
	106: "weighed, short + sheds 5xx + sheds in bursts: served 106, not 153",
	111: "bucket, short + slow node + sheds 429: served 187, not 363",
	116: "rolling, short + sheds in bursts: served 186, not 209",
	117: "rolling + bad words: served 932, not 1140",
	138: "fixed, short + sheds 429: served 94, not 122",
	141: "fixed, silent + sheds 429: refused 64 of 914, not 60 of 905",
	170: "fixed, short + sheds 429: served 330, not 725",
	179: "weighed, short + slow node + sheds in bursts: served 84, not 218",
	186: "weighed, short + clock jumps: served 244, not 280",
	190: "fixed, short + sheds 429: served 527, not 610",
	192: "fixed, short: served 87, not 183",
	193: "bucket, short + sheds 429: served 121, not 182",
}
