-- One exchange of a member with the ledger of a key. It is ledger.go of package fleet,
-- line by line; what the fields mean is told there and in wire.go.
-- KEYS[1] holds the ledger. ARGV: the report, the channel for news, the name of the key.
-- parts.lua precedes it: q is the report, and now the time.
local MARGIN, OPENFOR, HUNGRYFOR = 5, 60000, 2000
local STAGES = {0, 2, 5, 6, 8} -- eighths
local DRIFT, FEWEST, ASKALLOTTED, VAINMOST = 10000, 2, 5000, 4
local news, tell = {}, false

local raw = redis.call('GET', KEYS[1])
local l
local function rebuild()
  l.learn, l.need, l.since, l.rebuilt = now + q.ttl + q.grace, q.k, now, true
  l.term = 0
  news.roll, tell = true, true
  l.ws.learned, l.si.n = nil, 0
end
if not raw then
  l = {inc = q.nonce, ver = 0, at = 0, g = 0, f = 0, hold = 0, open = 0, rc = 0, tn = 0, told = 0, log = {},
    term = 0, began = 0, most = 0, til = 0, lv = 0, nx = 0, went = 0, past = 0,
    learn = 0, need = 0, since = 0, prober = '', probe = 0, expires = 0, ms = {}, ws = {},
    si = {rf = 0, cl = 0, be = 0, at = 0, sv = 0, to = 0, had = 0, gap = 0, sp = 0, hd = 0, k = 0, n = 0, p = 0, x = 0, af = 0, late = 0,
      due = 0, step = 0, pat = 0, who = '', call = 0, un = 0, us = 0, ex = 0, xc = 0}}
  if q.k > 1 then rebuild() end
else
  l = cjson.decode(raw)
  now = math.max(now, l.at)
  local m = l.ms[q.id]
  if m and q.seq <= m.n then return cjson.encode({stale = true, t = now}) end
  if q.inc == l.inc and (q.ver > l.ver or m and q.ack > m.n) then
    l.inc = q.nonce
    for _, w in pairs(l.ws) do w.known = false end
    rebuild()
  elseif q.inc ~= '' and q.inc ~= l.inc and q.k > 1 and not l.rebuilt then
    rebuild()
    for _ in pairs(l.ms) do l.need = l.need + 1 end
  end
end
l.at, l.ver = now, l.ver + 1

-- the dead
local buried = 0
for id, m in pairs(l.ms) do
  if id ~= q.id and m.x + q.grace < now then
    l.f = l.f + m.g - m.f
    if m.lp == 0 then buried = buried + m.e end
    if l.need > 0 and m.at < l.since and m.x + q.grace >= l.since then l.need = l.need - 1 end
    l.ms[id] = nil
  end
end

-- when fixed windows open, in turn: phase.go
local function phaseFail(w)
  if w.ph.n >= 3 then w.ph.x = math.min(w.ph.x + 1, 10) end
  w.ph.n, w.ph.odd = 0, true
end
local function phaseKnown(w) return w.ph.n >= 3 * 4 ^ w.ph.x and 2 * (w.ph.hi - w.ph.lo) <= w.ph.p end
local function phaseLikely(w) return w.ph.n >= 4 ^ w.ph.x and w.ph.hi - w.ph.lo < w.ph.p end
local function phaseNext(w)
  if now < w.ph.hi then return w.ph.hi end
  return w.ph.hi + math.floor((now - w.ph.hi) / w.ph.p) * w.ph.p + w.ph.p
end

-- the only window, if there is just one, and the allotments of a term: allot.go
local function only()
  local name = next(l.ws)
  if name and not next(l.ws, name) then return l.ws[name] end
end
local function allotted()
  local n = 0
  for _, o in pairs(l.ms) do n = n + o.e end
  return n
end
local function unallotted()
  local most = only().l
  if now <= l.til then most = math.min(most, l.most) end
  return most - allotted()
end

-- how long a window counts what was sent, and tests of that: log.go, and wait.go of package wait
local PERIODS = {1000, 2000, 5000, 10000, 15000, 20000, 30000, 60000, 120000, 300000, 600000, 900000, 1800000, 3600000, 7200000, 86400000}
local function periodOf(length)
  for _, p in ipairs(PERIODS) do
    if 8 * length <= 9 * p then return p end
  end
  return 0
end
local function long(w) return 2 * (w.hi - w.lo) <= w.w end
local function whole(w)
  if w.wt.l > 0 then return w.wt.l end
  if long(w) and not w.ph.odd then return math.max(w.w, periodOf(w.w)) end
  return w.w
end
local function margin(w)
  if w.w > 0 then return math.min(MARGIN, math.floor(w.w / 16)) end
  return MARGIN
end
local function rough(w) return not long(w) and w.shared <= now and only() == w end
local function lower(w) return math.max(w.wt.s, w.lt) end
local function vague(w) return w.w > 0 and w.w <= 20000 and 3 * w.lt < w.w end
local function sure(w) return lower(w) > 0 and 16 * (whole(w) - lower(w)) <= whole(w) end
local function tests(w)
  if not vague(w) or w.wt.f < math.max(w.wt.p, 1) or not w.known or #l.log == 0 or not rough(w) then return 0 end
  local test = math.floor((lower(w) + whole(w)) / 2)
  if sure(w) then test = math.floor(whole(w) * 7 / 8) end
  if test < 10 or test <= w.lt then return 0 end
  return test
end
local function shorter(w)
  local p = w.ph.p
  return rough(w) and (w.wt.l > 0 and 8 * w.wt.l < 7 * p or vague(w) and 8 * lower(w) < 7 * p)
end
local function spare(w)
  if w.l > 1 and tests(w) > 0 then return 1 end
  return 0
end
local function waited(w, refused, full)
  local t, span = w.wt, whole(w)
  local tested = t.t
  t.t = 0
  if tested > 0 and full and not refused then
    t.h = t.h + 1
    if t.h < 2 then return end
    if sure(w) then t.s = 0 end
    t.l, t.f, t.h, t.p = tested, 0, 0, math.floor(t.p / 2)
  elseif tested > 0 then
    t.s, t.f, t.h = math.max(t.s, tested), 0, 0
    if sure(w) then t.p = math.max(t.p, 64) end
  elseif refused and w.w < 250 then
    t.s, t.l, t.f = span, math.floor(span * 3 / 2), 0
  elseif refused and 3 * w.lt > 2 * w.w and w.lt <= w.w then
    t.s, t.l, t.f = span, math.min(math.floor(span * 9 / 8), math.floor(w.w * 5 / 4)), 0
  elseif refused and t.l > 0 then
    t.s, t.l, t.f = span, 2 * span, 0
  elseif refused then
    return
  elseif full then
    t.f = t.f + 1
  end
  if refused then t.p = math.min(8 * math.max(t.p, 2), 1024) end
end

-- the log of what is over
local function insert(at, n)
  local grain, size = 1e12, 1e12
  for _, w in pairs(l.ws) do
    if w.w > 0 then grain = math.min(grain, math.floor(math.min(w.w, whole(w)) / 32)) end
    size = math.min(size, math.floor(w.l / 32))
  end
  local i = 1
  while l.log[i] and l.log[i][2] < at do i = i + 1 end
  for k = i, #l.log do l.log[k][3] = l.log[k][3] + n end
  local o, prior, prior2 = l.log[i], l.log[i - 1], l.log[i - 2]
  if o and (not prior or o[1] <= at) then -- it counts them
  elseif at - prior[1] < grain and (not prior2 or prior[3] + n - prior2[3] <= size) then
    prior[2], prior[3] = at, prior[3] + n
  else
    table.insert(l.log, i, {at, at, prior[3] + n})
    if #l.log > 64 then table.remove(l.log, 1) end
  end
end

-- what the member holds
local m = l.ms[q.id]
if m and q.inc ~= l.inc then -- its lease was over, or the ledger is another
  l.f = l.f + m.g - m.f
  m = nil
end
local known = m ~= nil
if not known then
  m = {sv = l.tn, hungry = 0, ak = 0, tm = 0, e = 0, b = 0, sp = 0, lp = 0, vn = 0, rf = q.rf, pd = 0}
  if q.inc == l.inc then m.rf = q.rt end
  l.ms[q.id] = m
  local alone = math.max(q.f - q.fa, 0)
  if q.inc ~= l.inc then
    for _, w in pairs(l.ws) do
      w.known = w.known and (alone == 0 or l.term ~= 0) -- or what is left is yet to be seen
    end
    alone = 0
  end
  l.f = l.f + alone
  l.g = l.g + alone + q.g - q.f
else
  local was = m.f
  for _, o in ipairs(#l.log > 0 and q.ov or {}) do
    local by = math.min(o[2], q.f)
    if by > was then
      insert(math.min(o[1], now), by - was)
      was = by
    end
  end
  l.g = l.g + q.g - m.g
  l.f = l.f + q.f - m.f
end
m.n, m.g, m.f, m.want, m.x, m.at, m.pushed, m.lt = q.seq, q.g, q.f, q.want, now + q.ttl, now, 0, q.lt
m.pr, m.fi = q.pr, math.min(q.fi, q.want)
if q.want == 0 then m.pd = 0 else m.ak = now end
local si = l.si
si.rf = si.rf + math.max(q.rf - m.rf, 0)
m.rf = q.rf
-- what it has not spent of an allotment that is no longer valid
local function keep()
  if q.tm ~= 0 and q.e > q.sp then
    m.g = m.g + q.e - q.sp
    l.g = l.g + q.e - q.sp
  end
end
if l.term == 0 then
  keep()
else
  if q.tm == l.term and q.inc == l.inc then
    m.e, m.sp, m.lp = q.e, q.sp, 0
    if q.bye > 0 then m.lp = phaseNext(only()) + MARGIN end
  elseif not known then
    m.e, m.b = math.min(q.g - q.f, math.max(unallotted(), 0)), q.f
  else
    m.e = math.max(m.e, q.g - q.f)
  end
end

local last = l.log[#l.log]
if not last then
  table.insert(l.log, {now, now, l.f})
elseif l.f > last[3] then
  insert(now, l.f - last[3])
end

local function left()
  local n = nil
  for _, w in pairs(l.ws) do
    if not w.known then return 0 end
    n = math.min(n or 1e12, w.c - w.kp - spare(w) - l.g)
  end
  return math.max(n or 0, 0)
end

local function phaseOpened(w, from, due, to)
  local period = periodOf(w.w)
  if from > to or period == 0 then return end
  local p = w.ph
  if period == p.p and to >= p.lo then
    local n = math.floor((to - p.lo) / period)
    p.lo, p.hi, p.due = p.lo + n * period, p.hi + n * period, p.due + n * period
    if to - from >= period or p.hi - period >= from then
      if to - from < p.hi - p.lo then p.lo, p.hi, p.due = from, to, due end
      return
    end
    if p.hi + 10 >= from and (due >= to or p.due + 10 >= from) then
      p.lo, p.hi, p.n = math.max(p.lo, from), math.min(p.hi, to), p.n + 1
      p.lo, p.at, p.odd, p.due = math.min(p.lo, p.hi), to, false, math.min(p.due, due)
      return
    end
  end
  phaseFail(w)
  p.odd = p.p == period
  p.p, p.lo, p.hi, p.due, p.at = period, from, to, due, to
end
local function renewed(w, r)
  local used = 2 * (l.past - w.past) >= w.l
  local full = r + l.g - l.f + 1 >= w.l and 4 * (r + 1) >= 3 * w.l
  local proved = used and full and w.w > 0 and now <= w.went + w.w
  w.went, w.past = l.went, l.past
  return proved
end
-- the earliest stage that may come
local function soonest(w)
  if only() == w and not long(w) then return w.floor end
  return math.max(w.floor, 2)
end
local function opens(w)
  return w.lo + math.floor((w.hi - w.lo) * STAGES[w.stage + 1] / 8) + margin(w)
end
-- when that was over that leaves a window next, and how long before that a probe may go
local function leaves(w)
  local at, soon = 0, 0
  for _, o in ipairs(l.log) do
    local free = o[3] + w.l - l.g
    if free > 0 then
      if at == 0 then
        soon = o[2] + math.floor(whole(w) / 16)
      elseif o[2] > soon then
        return at
      end
      at = o[2]
      if free > math.floor(w.l / 16) then return at end
    end
  end
  return at
end
local function lead()
  local least = 1e12
  for _, o in pairs(l.ms) do least = math.min(least, o.lt) end
  return least - math.floor(least / 8)
end
local function opensByLog(w)
  local at, tested = opens(w), tests(w)
  if tested > 0 and l.g == l.f then at = math.min(at, l.log[#l.log][2] + tested + margin(w) - lead()) end
  if w.w > 0 and w.shared <= now then
    local over = leaves(w)
    if over > 0 then at = math.min(at, math.max(over + whole(w) + margin(w) - lead(), w.next)) end
  end
  return math.max(at, l.went + w.pw)
end
-- how long the next probe waits, where what is left refills bit by bit
local function pace(w)
  local gained, since, span, members = w.c - w.fo, now - w.fa, math.max(w.w, 500), 0
  if since < span and gained > 0 then return end
  w.fo, w.fa = w.c, now
  if gained <= 0 or since > 4 * span or w.w <= 0 or w.shared > now or 4 * gained * w.w >= 3 * w.l * since then
    w.pw = 0
    return
  end
  for _ in pairs(l.ms) do members = members + 1 end
  w.pw = math.min(math.floor(since * math.floor(w.l / 8) / gained), 16 * members, 250)
end
-- how long one request after the other takes, of a window of one
local function oneByOne()
  local w = only()
  if not w or w.l ~= 1 or w.w <= 0 or whole(w) >= 100 then return 0 end
  return math.max(whole(w), lead()) + 10
end
local function hearRest(w, o)
  if l.lv > 0 and 2 * (l.nx - o.hi) < w.ph.p then w.rs = math.min(w.rs, o.r) end
end
-- what left all windows before the next that did too
local longest = 0
for _, w in pairs(l.ws) do
  if w.w > 0 then longest = math.max(longest, whole(w) + MARGIN) end
end
while longest > 0 and #l.log > 1 and l.log[2][2] + longest < now do table.remove(l.log, 1) end

local before = left()

-- what responses told
local probed = l.prober == q.id and q.pd == l.probe
if probed or l.prober ~= '' and l.expires < now then l.prober = '' end
if q.hold > l.hold and q.hold > now then
  l.hold = q.hold
  news.hold, tell = l.hold, true
end
if q.off == 2 then
  l.open, l.doubt, l.ws = now + OPENFOR, true, {}
elseif q.off == 1 and not next(l.ws) and l.open <= now then
  l.open, l.doubt = now + OPENFOR, false
end
if not (l.open > now and l.doubt) then
  for _, w in pairs(l.ws) do
    if l.g == l.f and now > l.nx then w.kp = 0 end
  end
  for name, o in pairs(q.ws) do
    local w = l.ws[name]
    if not w then
      w = {lo = o.lo, hi = o.hi, stage = 4, floor = 0, known = false, c = 0, raised = 0, tries = 0, shared = 0, kp = 0, lk = 0, rs = 0, rf = l.si.rf, w = 0,
        early = false, next = 0, fails = 0, fo = 0, fa = 0, pw = 0, lt = 0, wt = {s = 0, l = 0, f = 0, h = 0, p = 0, t = 0}, shut = 0, due = 0, fx = false, went = 0, past = 0,
        ph = {p = 0, lo = 0, hi = 0, due = 0, at = 0, n = 0, x = 0, odd = false}}
      l.ws[name] = w
    end
    w.l, w.w, w.lt = o.l, math.max(w.w, o.w), math.max(w.lt, o.lo - now)
    if o.hi < w.lo then -- of a window that is over
    elseif o.lo > w.hi then
      w.lo, w.hi = o.lo, o.hi
    else
      w.lo, w.hi = math.max(w.lo, o.lo), o.hi
    end
    if q.inc == l.inc and o.v >= 0 and l.term == 0 then
      hearRest(w, o)
      if o.v < l.lv then -- it knew little of what others sent
      elseif not w.known or o.b > w.c then
        w.c, w.known, w.raised = o.b, true, l.ver
      elseif o.v >= w.raised and o.r < w.c - l.g then
        w.c, w.raised, w.shared = o.nb, l.ver, now + OPENFOR
      end
    end
    l.open = 0
  end
  if probed then
    for name, w in pairs(l.ws) do
      local early, shut, o = w.early, w.shut, q.ws[name]
      if w.known and w.c > l.g then pace(w) end
      w.early, w.shut = false, 0
      local tested = w.wt.t > 0
      if tested or early then waited(w, q.ps > 0, o and o.r + l.g - l.f + 1 >= w.l) end
      local vain = tested and shut == 0 and w.c <= l.g
      if vain then -- it has not opened
      elseif shut == 0 and o then
        w.went, w.past = l.went, l.past
        if now <= l.nx then w.kp = math.max(w.rs - o.r - 1, 0) end
      elseif shut == 0 or not w.known or w.c <= l.g then -- it has not opened
      elseif o and 2 * o.r >= w.l then
        phaseOpened(w, shut, w.tries > 0 and now or math.min(w.due, now), now)
        if renewed(w, o.r) then w.fx = true end
        w.lk, w.rf = math.min(math.max(l.si.rf - w.rf, w.lk - math.floor((w.lk + 3) / 4)), math.floor(w.l / 16)), l.si.rf
        w.kp = math.max(math.floor(math.max(w.l - o.r - 1 - (l.g - l.f), 0) / 3), w.lk)
      else
        phaseFail(w) -- it rolls, or refills
      end
      if vain then -- nor was that told
      elseif early then
        if q.ps == 0 or w.known and w.c > l.g then
          w.fails, w.next = math.max(w.fails - 1, 0), now
        else
          w.fails = math.min(w.fails + 1, 6)
        end
      elseif w.known and w.c > l.g then
        if w.tries == 0 then w.stage = math.max(w.stage - 1, soonest(w)) end
        w.tries = 0
      elseif w.stage < 4 and (opens(w) < now or shut > 0 and w.lo <= w.due) then -- that was too early
        w.stage = w.stage + 1
        w.floor = w.stage
      elseif opens(w) >= now then -- it is closed until then
      elseif not q.ws[name] and w.known then
        l.ws[name] = nil
      else
        w.tries = math.min(w.tries + 1, 7)
        w.lo, w.hi = now, now + 50 * 2 ^ w.tries
      end
    end
  end
end

-- what refusals told, and what became of a trial: silent.go, trial.go
local silent = l.ws.learned
if l.term ~= 0 and silent and si.who == q.id and si.call == q.tc and q.tm == l.term then
  local w = silent
  local upcoming = phaseNext(w)
  local gain = q.ts - si.us
  if gain > 0 then
    if now > l.til then l.most = w.l end
    w.l, l.til = w.l + gain, upcoming + MARGIN
  end
  si.who = ''
  if q.tf > 0 then
    si.pat, si.step = math.min(2 * si.pat, 8), 1
    si.due = upcoming + si.pat * w.ph.p - math.floor(w.ph.p / 2)
    local late = q.cl + si.late - upcoming
    if q.cl > now and math.abs(late) <= 1500 then
      if late > 0 then w.ph.lo, w.ph.hi = w.ph.lo + late, w.ph.hi + late end
      w.ph.at, l.began = now, now
    end
  elseif q.ts >= si.un then
    si.step, si.due = math.min(2 * si.step, math.floor(w.l / 4) + 1), now
  else
    si.due = upcoming + math.floor(w.ph.p / 2)
  end
end
if q.cl > now then
  si.sp = math.max(si.sp, q.cl - now)
  if si.cl <= now then
    si.had, si.gap = si.sv - si.to, si.cl - si.be
    si.be, si.to, si.n, si.at, si.k = si.cl, si.sv, si.n + 1, now, si.hd
    if l.term == 0 and not next(l.ws) then news.land, tell = true, true end
  end
  si.cl = math.max(si.cl, q.cl)
end
if l.term ~= 0 then si.n = math.min(si.n, 1) end
if si.cl > now then
  si.sv, si.hd = l.f - si.rf, 0
  for _, o in pairs(l.ms) do
    if o.at >= si.at then si.hd = si.hd + 1 end
  end
end

-- the term of the allotments, if it is over: allot.go
local function tooFew(w)
  local n = 0
  for _ in pairs(l.ms) do n = n + 1 end
  return w.l < FEWEST * n
end
local function endTerm()
  l.term, l.log = 0, {}
  local s = l.ws.learned
  if s then
    if now - (phaseNext(s) - s.ph.p) < 2500 then si.late = 1000 end
    l.ws = {}
    l.open, l.doubt = now + OPENFOR, false
    si.x = si.x + 1
    if now - l.began > 16 * si.p then si.x = 1 end
    si.x = math.min(si.x, 6)
    if si.x > 1 then si.af = now + 30000 * 2 ^ si.x end
    si.xc = 0
    news.roll, tell = true, true
    return
  end
  for _, o in pairs(l.ws) do o.known, o.shut = false, 0 end
  l.learn, l.need, l.since = now + q.ttl + q.grace, 0, now
  for id, o in pairs(l.ms) do
    o.at = math.min(o.at, now - 1)
    if id == q.id then keep() end
    if id == q.id or o.e <= 0 and o.g == o.f then o.at = now end
  end
  news.roll, tell = true, true
end
if l.term ~= 0 then
  local w = only()
  if w and q.db > 0 and q.tm == l.term and now > si.xc then
    w.fx, w.shared = false, now + OPENFOR
    phaseFail(w)
  end
  if not w or not phaseKnown(w) or tooFew(w) or w.l < allotted()
    or math.floor((now - l.began) / DRIFT) > math.floor(w.ph.p / 64) then
    endTerm()
  elseif buried > 0 and not l.ws.learned then -- one looks what is left
    endTerm()
    l.lv, l.nx, w.rs = l.ver, phaseNext(w), w.l
    local o = q.ws[next(l.ws)]
    if o then hearRest(w, o) end
  end
end

-- a term begins once refusals taught what is admitted: silent.go
local function beginSilent()
  if l.term ~= 0 or next(l.ws) or l.learn > 0 or si.n < 2 or si.cl <= now or now < si.af then return end
  local members = 0
  for _ in pairs(l.ms) do members = members + 1 end
  if si.hd < math.max(members, si.k) or l.g > l.f then return end
  local gap, served, period = si.cl - si.be, si.sv - si.to, 0
  local agree = si.n > 2 and 16 * math.abs(served - si.had) <= served and math.abs(gap - si.gap) <= 3000
  if 2 * si.sp <= gap + 1500 or l.hold <= now and not agree then return end
  for _, p in ipairs(PERIODS) do
    if p >= 5000 and math.abs(gap - p) <= 1500 then period = p end
  end
  if period == 0 or served < FEWEST * members then return end
  local opens = si.cl + si.late
  l.ws.learned = {lo = opens, hi = opens, stage = 4, floor = 0, known = true, c = l.g, raised = 0, tries = 0, shared = 0, kp = 0, lk = 0, rs = 0, rf = si.rf, w = period,
    early = false, next = 0, fails = 0, fo = 0, fa = 0, pw = 0, lt = 0, wt = {s = 0, l = 0, f = 0, h = 0, p = 0, t = 0}, shut = 0, due = 0, fx = true, went = 0, past = 0, l = served,
    ph = {p = period, lo = opens - period - math.min(1000, math.floor(period / 4)), hi = opens - period, due = now, at = now, n = 2 ^ 20, x = 0, odd = false}}
  l.term, l.began, l.open, l.log = l.ver, now, 0, {}
  l.most, l.til = served, now
  si.p, si.step, si.pat, si.due, si.who, si.call, si.un, si.us, si.ex, si.xc = period, 1, 2, opens + period + math.floor(period / 2), '', 0, 0, 0, 0, 0
  for _, o in pairs(l.ms) do o.e, o.b, o.lp, o.sp = math.floor(served / members), o.f, 0, 0 end
  news.roll, tell = true, true
  if opens > l.hold then l.hold, news.hold = opens, opens end
end
beginSilent()

-- how much more than its part the member may try now, or when to ask for that: trial.go
local function try(w)
  local period, upcoming = w.ph.p, phaseNext(w)
  local opened, look = upcoming - period, math.floor(period / 16)
  if si.who ~= '' and now >= si.ex then si.who, si.due = '', upcoming + math.floor(period / 2) end
  local at = math.max(si.due, opened + math.floor(period / 2))
  if si.who ~= '' then at = math.max(at, now + look) end
  if at > now then return 0, at end
  if now > upcoming - math.floor(period / 8) then return 0, upcoming + math.floor(period / 2) end
  local unspent = 0
  for id, o in pairs(l.ms) do
    if o.at < opened + look and o.want > 0 then return 0, now + look end
    if o.at < opened + look then
      unspent = unspent + o.e
    elseif id ~= q.id then
      unspent = unspent + math.max(o.e - o.sp, 0)
    end
  end
  if unspent > math.floor(w.l / 16) then return 0, now + look end
  si.un, si.us = unspent + si.step, unspent
  if unspent > 0 then si.xc = upcoming + MARGIN end
  si.who, si.call, si.ex = q.id, q.seq, upcoming
  return si.un, 0
end

-- after a loss: wait until all who may hold something have spoken; and so where all may have been away
local awaits = (q.aw or 0) > 0 and q.inc == l.inc and l.term == 0 and l.learn == 0
if awaits then
  l.learn, l.need, l.since = now + 2000, 0, now - q.aw
end
local learning = false
if l.learn > 0 then
  local heard, all = 0, true
  for _, o in pairs(l.ms) do
    if o.at >= l.since then heard = heard + 1 else all = false end
  end
  learning = (heard < l.need or l.need == 0 and not all) and now < l.learn
  if not learning then l.learn, l.need, l.since = 0, 0, 0 end
end
if awaits and learning then news.roll, tell = true, true end
if not learning then -- all that was left may be under way
  local w = only()
  if w and not w.known and l.lv > 0 and now <= l.nx and w.rs <= l.g - l.f then w.known, w.c, w.raised = true, l.g, l.ver end
end

-- whose requests have a higher priority: rank.go
local function after(n)
  local higher = 0
  for id, o in pairs(l.ms) do
    if id ~= q.id and o.want > 0 and o.hungry + HUNGRYFOR >= now and o.pr > m.pr then
      higher = higher + math.min(o.fi, o.want)
    end
  end
  return math.max(n - higher, math.floor(n / 20), math.min(math.floor(m.pd / 20), n))
end
local function preferred(x, n)
  local part = math.floor(x.pd / 20)
  for _, o in pairs(l.ms) do
    if o.want > 0 and o.pr < x.pr then
      part = math.max(part, math.min(x.fi, n - math.floor(n / 20)))
      break
    end
  end
  return math.min(part, x.want, n)
end
local function pass(x, part)
  x.fi, x.pd = math.max(x.fi - part, 0), math.max(x.pd - 20 * part, 0)
  for _, o in pairs(l.ms) do
    if o.want > 0 and o.pr < x.pr then o.pd = o.pd + part end
  end
end
local function goesBefore(x, y, otherwise, a, b)
  local xo, yo = math.min(math.floor(x.pd / 20), 1), math.min(math.floor(y.pd / 20), 1)
  if xo ~= yo then return xo > yo end
  if x.pr ~= y.pr then return x.pr > y.pr end
  if otherwise ~= 0 then return otherwise < 0 end
  return a < b
end
-- the part of what is left of one of so many that wait
local function partOf(n, among, before)
  local part = math.floor((n + math.floor(among / 2)) / among)
  if n < among then part = 0 end
  for _, w in pairs(l.ws) do
    if w.shared > now then
      part = math.floor((part + 1) / 2)
      break
    end
  end
  if part == 0 and before < n then part = 1 end
  return part
end
local function turn(o)
  l.tn = l.tn + 1
  o.sv = l.tn
end
local function give(o, part)
  if part <= 0 then return end
  o.g, o.want, o.hungry = o.g + part, o.want - part, 0
  l.g = l.g + part
  turn(o)
  pass(o, part)
end
-- how many ask again and again for what refills bit by bit
local function asking()
  local pause, n = 0, 0
  for _, w in pairs(l.ws) do pause = math.max(pause, w.pw) end
  for _, o in pairs(l.ms) do
    if pause > 0 and o.ak + 2 * pause >= now then n = n + 1 end
  end
  return n
end
-- what is left goes to those who wait: push.go
local function holds(o)
  for _, w in pairs(l.ws) do
    if w.w > 0 and 2 * (now - o.at) > w.w then return o.g > o.f end
  end
  return false
end
local function pushAll(members, much)
  for _, w in pairs(l.ws) do
    if not much and not phaseKnown(w) then return end
  end
  local ids, askers = {}, asking()
  for id, o in pairs(l.ms) do
    if id ~= q.id and o.want > 0 and o.hungry + HUNGRYFOR >= now and not holds(o) then table.insert(ids, id) end
  end
  table.sort(ids, function(a, b)
    return goesBefore(l.ms[a], l.ms[b], l.ms[a].sv - l.ms[b].sv, a, b)
  end)
  for i, id in ipairs(ids) do
    local o, among = l.ms[id], #ids - i + 1
    if #ids + 1 < members then among = among + 1 end
    among = math.max(among, askers - i + 1)
    local part = math.max(math.min(partOf(left(), among, 0), o.want), preferred(o, left()))
    if part > 0 then
      give(o, part)
      o.pushed = o.pushed + part
      news.push = news.push or {}
      news.push[id] = {n = o.n, g = o.pushed}
    end
  end
  if news.push then
    tell = true
    news.inc, news.ver, news.f, news.left, news.cs = l.inc, l.ver, l.f, left(), {}
    for name, w in pairs(l.ws) do news.cs[name] = w.c end
  end
end

-- its part of what is left, or a probe
local members, hungry, ahead, soonest = 0, 1, 0, 2 ^ 60
for id, o in pairs(l.ms) do
  members = members + 1
  if id ~= q.id and o.want > 0 and o.hungry + HUNGRYFOR >= now then
    hungry = hungry + 1
    if o.denied and (o.sv < m.sv or o.sv == m.sv and id < q.id) then
      ahead, soonest = ahead + 1, math.min(soonest, o.hungry)
    end
  end
end
local probe, at, term, units = false, 0, l.term ~= 0, 0
if term then
  for _, o in pairs(l.ms) do
    if o.lp > 0 and o.lp < now then o.e, o.lp = 0, 0 end
  end
  local w, had = only(), m.e
  m.tm, hungry = l.term, 1
  local ids, sum = {}, 0
  for id, o in pairs(l.ms) do
    if o.want > 0 and o.tm == l.term then
      table.insert(ids, id)
      sum = sum + o.e
    end
  end
  table.sort(ids, function(a, b)
    local x, y = l.ms[a], l.ms[b]
    if x.e ~= y.e then return goesBefore(x, y, x.e - y.e, a, b) end
    return goesBefore(x, y, x.sv - y.sv, a, b)
  end)
  local free = unallotted()
  for i, id in ipairs(ids) do
    local o, among = l.ms[id], #ids - i + 1
    local part = math.min(math.max(math.floor((sum + free + among - 1) / among) - o.e, preferred(o, free)), o.want, free)
    sum = sum - o.e
    if part > 0 then
      free = free - part
      o.e, o.want = o.e + part, o.want - part
      turn(o)
      pass(o, part)
      if id ~= q.id then
        o.pushed = o.pushed + part
        news.push = news.push or {}
        news.push[id] = {n = o.n, g = o.pushed}
        news.tm, news.inc, news.ver, tell = l.term, l.inc, l.ver, true
      end
    end
  end
  if q.want == 0 or m.e > had or l.hold > now then
    m.vn = 0
  else
    at = now + math.max(ASKALLOTTED, 2 * w.ph.p) * 2 ^ m.vn
    m.vn = math.min(m.vn + 1, VAINMOST)
    if now <= l.til and l.most < w.l then at = l.til + 1 end
    if l.ws.learned then
      local again
      units, again = try(w)
      if again > 0 then at = math.min(at, again) end
    end
    local over = w.l
    for _, o in pairs(l.ms) do
      if o.want == 0 then over = over - o.e end
      if o.lp > 0 and o.e > 0 then at = math.min(at, o.lp + 1) end
      if o ~= m and o.e > 0 and o.x < now + math.floor(q.ttl / 10) then at = math.min(at, math.max(o.x + q.grace, now) + 1) end
    end
    local needs = {}
    for _, id in ipairs(ids) do table.insert(needs, l.ms[id].e + l.ms[id].want) end
    table.sort(needs)
    local fair, uneven, held, lower, low = w.l, false, 0, 0, 0
    for i, need in ipairs(needs) do
      local part = math.floor(over / (#needs - i + 1))
      if need >= part then
        fair = part
        break
      end
      over = over - need
    end
    for _, o in pairs(l.ms) do
      if o.want > 0 and o.pr < m.pr then held, lower = held + o.e, lower + 1 end
    end
    if lower > 0 then low = math.floor(math.max(held - math.min(m.fi, m.want), math.floor(w.l / 20)) / lower) end
    for id, o in pairs(l.ms) do
      if id ~= q.id and o.e > 0 and o.lp == 0 and (o.want == 0 or o.e > fair and m.e < fair - math.floor(fair / 16)
        or o.pr < m.pr and o.e > math.max(low, 1)) then uneven = true end
    end
    if uneven and now >= l.rc then
      news.recall, news.tm, news.fair, l.rc, tell = true, l.term, math.max(fair, 1), now + 200, true
      news.rank, news.low = m.pr, low
    elseif uneven and m.vn < VAINMOST then -- what another asked for may be less than it lacks
      at = math.min(at, l.rc + 1)
    end
  end
elseif q.want > 0 and not learning and l.hold <= now and l.open <= now then
  local n = left()
  if n > 0 then
    local among = hungry
    if hungry == 1 and members > 1 and n >= 2 * members then among = 2 end
    among = math.max(among, asking())
    local much = probed and n >= among
    n = after(n)
    give(m, math.max(math.min(partOf(n, among, ahead), m.want), preferred(m, n)))
    pushAll(members, much)
  elseif l.prober == '' and (oneByOne() == 0 or ahead == 0 or soonest > now + 20 or soonest < now - 10) then
    probe = true
    for _, w in pairs(l.ws) do
      local looks = l.lv > 0 and now <= l.nx and w.rs > 0 and l.g == l.f
      if w.known and w.c - spare(w) <= l.g and now <= opensByLog(w) and not looks then probe = false end
    end
    if probe then
      l.went, l.past = now, l.f
      if l.g == l.f then l.lv = 0 end
      for _, w in pairs(l.ws) do
        w.wt.t = 0
        if tests(w) > 0 and l.g == l.f then
          local gap = now - l.log[#l.log][2] + lead() - margin(w)
          if gap < whole(w) then w.wt.t = gap end
        end
        w.early = w.known and w.c <= l.g and now <= opens(w)
        if w.early then w.next = now + math.max(math.floor(w.w / 16), 20) * 2 ^ w.fails end
        w.shut = 0
        if w.known and w.c <= l.g then w.shut, w.due = w.lo, w.hi end
      end
      m.g, m.want = m.g + 1, 0
      turn(m)
      l.g = l.g + 1
      l.prober, l.probe, l.expires = q.id, q.seq, now + math.max(1000, 4 * q.trip)
    end
  end
end
local rest = 0
if not term then
  if not learning then rest = left() end
  m.denied = q.want > 0 and q.g == m.g
end
if not term and (m.denied or m.want > 0 and rest == 0) then
  if learning then
    at = now + 200
  else
    local later, opening = false, 0
    for _, w in pairs(l.ws) do
      if w.known and w.c - spare(w) <= l.g then
        local opens = opensByLog(w) + 1
        if l.prober ~= '' and w.wt.l > 0 then opens = math.min(opens, l.went + lead() + whole(w)) end
        opening, later = math.max(opening, opens), true
      end
    end
    local one = oneByOne()
    at = now + 50
    if one > 0 then
      local upcoming = math.max(opening, now + 1)
      if l.prober ~= '' then upcoming = math.max(l.went + one, now + 10) end
      at, later = upcoming + one * ahead, false
    elseif l.prober ~= '' then
      at = now + math.max(100, 2 * q.trip)
    elseif opening > now then
      at = opening
    end
    if one == 0 then at = math.max(at, opening) end
    at = math.max(at, l.hold + 1)
    local late = math.max(50, 2 * q.trip)
    if later and soonest <= at + 10 then at = at + late + 10 * ahead end
  end
  m.hungry = math.max(now, at)
  if m.denied and rest == 0 and l.g - l.f > m.g - m.f and now >= l.rc then
    l.rc = now + 200
    news.recall, tell = true, true
  end
end
if not term and not learning and l.hold <= now and l.open <= now then -- a term may begin
  local w = only()
  if w and l.prober == '' and w.known and w.fx and phaseKnown(w) and not shorter(w) and 200 * w.w <= 201 * w.ph.p and w.shared <= now and now > l.nx and not tooFew(w) then
    l.term, l.began, l.rc, l.log = l.ver, now, 0, {}
    l.most, l.til = math.min(w.c - l.f, w.l), phaseNext(w) + MARGIN
    for _, o in pairs(l.ms) do o.e, o.b, o.lp = o.g - o.f, o.f, 0 end
    m.tm = l.term
  end
end
if rest > 0 and (before <= 0 or now >= l.told) and hungry > 1 and not learning and l.hold <= now then
  l.told = now + 20
  news.credit, tell = true, true
end

local ws, keep = nil, 600000
for name, w in pairs(l.ws) do
  local c = -1
  if w.known then c = w.c end
  ws = ws or {} -- none is left out: an empty table may become an empty array
  ws[name] = {l = w.l, c = c, hi = w.hi, oe = 0, op = 0, p = 0, lp = 0, pw = w.pw}
  if phaseLikely(w) then
    local apart = math.floor((now - w.ph.at) / DRIFT)
    ws[name].oe, ws[name].op, ws[name].lp = w.ph.lo - apart, w.ph.hi + apart, w.ph.p
  end
  if phaseKnown(w) then ws[name].p = w.ph.p end
  keep = math.max(keep, 2 * (w.hi - now))
  if name == 'learned' then keep = math.max(keep, 2 * w.ph.p) end
end
if tell then redis.call('PUBLISH', ARGV[2], ARGV[3] .. ' ' .. cjson.encode(news)) end
redis.call('SET', KEYS[1], cjson.encode(l), 'PX', string.format('%d', math.min(math.max(keep, 2 * q.ttl), 172800000)))
local open, each, base = 0, 0, 0
if l.term ~= 0 then each, base = m.e, m.b end
if l.open > now then open = l.open end
return cjson.encode({stale = false, t = now, inc = l.inc, ver = l.ver, g = m.g, f = l.f,
  k = math.max(members, l.need), h = hungry - 1, left = rest, at = at, hold = l.hold,
  open = open, learn = learning, probe = probe, tm = l.term, e = each, b = base, try = units, ws = ws})
