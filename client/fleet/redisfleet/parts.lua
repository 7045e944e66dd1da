-- One exchange of a member with the ledger of a quota that a fleet divides. It is ledger.go of
-- package parts, line by line; what the fields mean is told there and in wire.go. It returns
-- nothing if the report is of another sort.
-- KEYS[1] holds the ledger. ARGV: the report, the channel for news, the name of the key.
local q = cjson.decode(ARGV[1])
local T = redis.call('TIME')
local now = T[1] * 1000 + math.floor(T[2] / 1000)

local function exchangeParts()
  local news, tell = {}, false
  local raw, l = redis.call('GET', KEYS[1]), nil
  local function rebuild()
    for _, m in pairs(l.ms) do
      m.old, m.told = m.old or q.inc == l.inc, false
    end
    l.learn, l.need, l.till, l.rebuilt = now + q.ttl, q.k, now + q.keep, true
    news.roll, tell = true, true
  end
  if not raw then
    l = {inc = q.nonce, ver = 0, at = 0, learn = 0, need = 0, missing = 0, till = 0, rebuilt = false, rc = 0, ms = {}}
    rebuild()
    if q.k <= 1 then l.learn, l.need, l.rebuilt = now + 500, 0, false end
  else
    l = cjson.decode(raw)
    now = math.max(now, l.at)
    local m = l.ms[q.id]
    if m and q.seq <= m.n then
      return {stale = true, inc = '', ver = 0, k = 0, e = 0, fair = 0, turn = false, wait = 0}
    end
    if q.inc == l.inc and (q.ver > l.ver or m and q.ack > m.n) then
      rebuild()
      l.inc = q.nonce
    elseif q.inc ~= '' and q.inc ~= l.inc and not l.rebuilt then
      rebuild()
    elseif q.inc ~= '' and q.inc ~= l.inc and l.need > 0 then
      l.need = math.max(l.need, q.k)
    end
  end
  l.at, l.ver = now, l.ver + 1
  for id, m in pairs(l.ms) do
    if id ~= q.id and m.x < now then l.ms[id] = nil end
  end
  local m = l.ms[q.id]
  if not m then
    m = {e = 0, sv = 0, tn = 0, pd = 0, vn = 0, pushed = 0, old = false, told = false}
    l.ms[q.id] = m
  end
  m.old = m.old or q.inc ~= '' and q.inc ~= l.inc
  if q.inc == l.inc then m.told = m.old end
  if m.pushed > 0 and q.e < m.e then m.sv = m.tn end
  m.n, m.l, m.e, m.want, m.rank = q.seq, q.quota, q.e, q.want, q.rank
  m.at, m.x, m.gone, m.pushed = now, now + q.keep, q.bye > 0, 0

  local function whole()
    local n = 2 ^ 40
    for _, o in pairs(l.ms) do
      if not o.gone then n = math.min(n, o.l) end
    end
    if now < l.till then n = n - l.missing end
    return n
  end
  local learning = false
  if l.learn ~= 0 then
    local n = 0
    for _, o in pairs(l.ms) do if o.told then n = n + 1 end end
    learning = now < l.learn and (l.need == 0 or n < l.need)
    if not learning then
      local missing = math.max(l.need - n, 0)
      l.missing = 0
      if missing > 0 then l.missing = math.floor(whole() * missing / l.need) end
      l.learn, l.need = 0, 0
    end
  end
  local function wants(o) return not o.gone and o.want > 0 and o.at + q.ttl >= now end

  -- what is free goes to those who want more
  local function fill()
    local free, ids = whole(), {}
    for id, o in pairs(l.ms) do
      free = free - o.e
      if wants(o) then table.insert(ids, id) else o.pd = 0 end
    end
    table.sort(ids, function(a, b)
      local x, y = l.ms[a], l.ms[b]
      if x.rank ~= y.rank then return x.rank > y.rank end
      if x.e ~= y.e then return x.e < y.e end
      if x.sv ~= y.sv then return x.sv < y.sv end
      return a < b
    end)
    local function give(id, part)
      local o = l.ms[id]
      part = math.min(part, o.want, free)
      if part <= 0 then return end
      free = free - part
      o.e, o.want, o.vn = o.e + part, o.want - part, 0
      for _, other in ipairs(ids) do
        local x = l.ms[other]
        if x.rank < o.rank and x.want > 0 then x.pd = x.pd + part end
      end
      if id == q.id then
        o.sv = l.ver
        return
      end
      if o.pushed == 0 then o.tn = o.sv end
      o.sv = l.ver
      o.pushed = o.pushed + part
      news.turn = whole() < #ids or nil
      news.push, tell = news.push or {}, true
      news.push[id] = {n = o.n, g = o.pushed}
    end
    for _, id in ipairs(ids) do
      local o = l.ms[id]
      if o.pd >= 20 then
        local had = o.e
        give(id, math.floor(o.pd / 20))
        o.pd = o.pd - 20 * (o.e - had)
      end
    end
    local i = 1
    while i <= #ids do
      local last, sum = i, 0
      while last <= #ids and l.ms[ids[last]].rank == l.ms[ids[i]].rank do
        sum = sum + l.ms[ids[last]].e
        last = last + 1
      end
      while i < last do
        local among, had = last - i, l.ms[ids[i]].e
        give(ids[i], math.floor((sum + free + among - 1) / among) - had)
        sum = sum - had
        i = i + 1
      end
    end
  end

  -- the others give up what they do not need, or what is more than fair
  local function recall(fair, rest)
    local lower, held, above, more, due = 0, 0, 0, 0, false
    for id, o in pairs(l.ms) do
      if id ~= q.id and not o.gone and o.want > 0 then
        if o.rank < m.rank then
          lower, held = lower + 1, held + o.e
        elseif o.e > fair then
          above, more = above + 1, more + o.e
        end
      end
    end
    local level, low = fair, 0
    if above > 0 then level = math.max(fair, math.floor((more - m.want) / above)) end
    if lower > 0 then low = math.floor(math.max(held - m.want, math.floor(rest / 20), 0) / lower) end
    for id, o in pairs(l.ms) do
      if id ~= q.id and not o.gone and o.e > 0 then
        if o.want == 0 then
          due = true
        elseif o.rank < m.rank then
          due = due or o.e > low
        elseif o.rank == m.rank then
          due = due or o.e > fair and o.e > m.e + 1 + math.floor(fair / 16) or m.e == 0
        end
      end
    end
    if not due or now < l.rc then return end
    news.recall, news.fair, news.rank, news.low, tell = true, level, m.rank, low, true
    l.rc = now + 200
  end

  local r = {stale = false, inc = l.inc, ver = l.ver, k = 0, e = m.e, fair = 0, turn = false, wait = 0}
  if learning then
    local members, others = 0, 0
    for _, o in pairs(l.ms) do
      members = members + 1
      if not o.old then others = others + 1 end
    end
    r.wait, r.k = math.max(math.min(200, l.learn - now), 1), math.max(members, l.need + others)
    if now >= l.rc then
      news.roll, tell, l.rc = true, true, now + 200
    end
  else
    local before = m.e
    fill()
    r.e = m.e
    local all = whole()
    local rest, among, wanting = all, 1, 0
    for id, o in pairs(l.ms) do
      if not o.gone then r.k = r.k + 1 end
      if wants(o) then wanting = wanting + 1 end
      if id ~= q.id then
        if o.gone or o.want == 0 then
          rest = rest - o.e
        elseif o.rank >= m.rank then
          among = among + 1
        end
      end
    end
    r.fair, r.turn = math.floor(math.max(rest, 0) / among), all < wanting
    if q.want == 0 or m.e > before then m.vn = 0 end
    if m.want > 0 then
      recall(r.fair, rest)
      r.wait = 1000 * 2 ^ m.vn
      m.vn = math.min(m.vn + 1, 4)
    end
  end
  if tell then
    news.inc = l.inc
    redis.call('PUBLISH', ARGV[2], ARGV[3] .. ' ' .. cjson.encode(news))
  end
  local keep = 600000
  for _, o in pairs(l.ms) do keep = math.max(keep, 2 * (o.x - now)) end
  redis.call('SET', KEYS[1], cjson.encode(l), 'PX', string.format('%d', keep))
  return r
end
if q.quota then return cjson.encode(exchangeParts()) end
