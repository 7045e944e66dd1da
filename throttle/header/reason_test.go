package header

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestReason(t *testing.T) {
	for body, want := range map[string]Reason{
		`{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","code":"insufficient_quota"}}`: Billing,
		`{"error":{"code":"credit_balance_too_low","message":"Your credit balance is too low."}}`:                                                                      Billing,
		`{"error":{"message":"This key has hit its monthly spend limit."}}`:                                                                                            Billing,
		`{"code":"Arrearage","message":"Access denied, please make sure your account is in good standing."}`:                                                           Billing,
		`{"message":"You have run out of credits. Buy more credits to go on."}`:                                                                                        Billing,
		// The same words, but the limit opens again in 42 s.
		`{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","details":[{"retryDelay":"42s"}]}}`: Unspecified,
		`{"error":{"message":"Rate limit reached for gpt-4 on tokens per min (TPM): Limit 10000, Used 9000, Requested 2500. Please try again in 9s."}}`:    Unspecified,
		`{"error":{"message":"Request too large for gpt-4 on tokens per min (TPM): Limit 10000, Requested 12500.","code":"rate_limit_exceeded"}}`:          TooLarge,
		`{"error":{"message":"Limit 6000, Used 0, Requested 7,331. Please try again in 13s"}}`:                                                             TooLarge,
		`{"error":{"errors":[{"reason":"dailyLimitExceeded"}]}}`:                                                                                           PeriodQuota,
		`{"message":"You have exceeded the MONTHLY quota for Requests on your current plan, BASIC. Monthly quota exceeded."}`:                              PeriodQuota,
		`{"error":{"details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}}`:                                         PeriodQuota,
		`{"message":"Our API allows 5 calls per minute and 500 calls per day."}`:                                                                           Unspecified,
		// Advice on how to get a higher rate: the request is served in a minute.
		`{"detail":"You have not yet added your payment method in the billing page and will have reduced rate limits of 3 RPM and 10K TPM."}`: Unspecified,
		`{"message":"Too many requests. Enable billing to raise your rate limit."}`:                                                           Unspecified,
		`{"error":"Rate limit exceeded. Buy more credits or upgrade for higher limits."}`:                                                     Unspecified,
		`{"error":{"message":"Rate limit exceeded: free-models-per-min. Add 10 credits to unlock 1000 free model requests per day"}}`:         Unspecified,
		`{"message":"Add credits to go on."}`:                                      Billing,
		`{"error":{"code":"1113","message":"您的账户已欠费，请充值后重试"}}`:                     Billing, //nolint:gosmopolitan // as a server writes
		`{"code":8,"message":"grpc: received message larger than max (50 vs. 4)"}`: TooLarge,
		`{"message":"Too many requests"}`:                                          Unspecified,
		``:                                                                         Unspecified,
	} {
		var r Reading
		r.Read(http.StatusTooManyRequests, headerOf(), []byte(body), benchNow)
		assert.Equal(t, want, r.Reason, body)
		assert.Equal(t, want == Billing || want == TooLarge, r.Reason.Final(), body)

		// What is no refusal has no reason, and the next reading none of the last.
		r.Read(http.StatusNotFound, headerOf(), []byte(body), benchNow)
		assert.Equal(t, Unspecified, r.Reason, body)
	}
}

// A quota of a day that is used up is a quota of a period, whatever says so.
func TestReasonOfWindow(t *testing.T) {
	var r Reading
	r.Read(http.StatusTooManyRequests, headerOf("X-RateLimit-Limit-Day", "100", "X-RateLimit-Remaining-Day", "0"), nil, benchNow)
	assert.Equal(t, PeriodQuota, r.Reason)
	r.Read(http.StatusTooManyRequests, headerOf("X-RateLimit-Limit-Minute", "100", "X-RateLimit-Remaining-Minute", "0",
		"X-RateLimit-Limit-Day", "100", "X-RateLimit-Remaining-Day", "7"), nil, benchNow)
	assert.Equal(t, Unspecified, r.Reason)
}
