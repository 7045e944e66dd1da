// Rate limiters for Express, each on a path of its own: /name/limit/seconds. It prints
// the port.
import express from "express";
import { rateLimit } from "express-rate-limit";
import { RateLimiterMemory } from "rate-limiter-flexible";

const app = express();
const answer = (_req, res) => res.json({ data: [] });

for (const [limit, seconds] of [[20, 2], [50, 10]]) {
  // express-rate-limit as its documentation has it, in each dialect.
  for (const [name, options] of Object.entries({
    "legacy": { legacyHeaders: true, standardHeaders: false },
    "draft-6": { legacyHeaders: false, standardHeaders: "draft-6" },
    "draft-7": { legacyHeaders: false, standardHeaders: "draft-7" },
    "draft-8": { legacyHeaders: false, standardHeaders: "draft-8" },
  })) {
    app.get(`/${name}/${limit}/${seconds}`, rateLimit({ windowMs: seconds * 1000, limit, ...options }), answer);
  }

  // rate-limiter-flexible with the headers of its documentation.
  const flexible = new RateLimiterMemory({ points: limit, duration: seconds });
  const headers = (state) => ({
    "Retry-After": state.msBeforeNext / 1000,
    "X-RateLimit-Limit": limit,
    "X-RateLimit-Remaining": state.remainingPoints,
    "X-RateLimit-Reset": Math.ceil((Date.now() + state.msBeforeNext) / 1000),
  });
  app.get(`/flexible/${limit}/${seconds}`, async (req, res, next) => {
    try {
      res.set(headers(await flexible.consume(req.ip)));
      next();
    } catch (state) {
      res.set(headers(state)).status(429).send("Too Many Requests");
    }
  }, answer);
}

const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume(); // whoever started it is gone
