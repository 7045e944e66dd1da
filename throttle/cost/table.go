package cost

// The table of what is known of which API; docs/costs.md has it in words. Each
// entry names the page that it was taken from. What an API charges and does not
// tell is not here: it is learned.
var table = []API{
	{
		Name: "openai", Hosts: []string{"api.openai.com"},
		Source: "https://developers.openai.com/api/docs/guides/rate-limits",
		Model:  "model", Most: outputs, Times: []string{"n", "best_of"}, Body: chat,
	},
	{
		Name: "azure-openai", Hosts: []string{"*.openai.azure.com"},
		Source: "https://learn.microsoft.com/azure/ai-services/openai/how-to/quota",
		Model:  "/deployments/", Most: outputs, Times: []string{"n", "best_of"}, Body: chat,
	},
	{
		Name: "groq", Hosts: []string{"api.groq.com"},
		Source: "https://console.groq.com/docs/rate-limits",
		Model:  "model", Most: outputs, Times: []string{"n"}, Body: chat,
	},
	{
		// Measured: nothing is charged for max_tokens, 23 tokens for 23 produced.
		Name: "mistral", Hosts: []string{"api.mistral.ai"},
		Source: "https://docs.mistral.ai/deployment/laplateforme/tier",
		Model:  "model", Body: chat,
		Header: []Term{{Field: "X-Ratelimit-Tokens-Query-Cost", Unit: "tokens"}},
	},
	{
		// Output counts as it is produced, so that max_tokens bounds it and is not
		// charged; reading from the cache is free.
		Name: "anthropic", Hosts: []string{"api.anthropic.com"},
		Source: "https://platform.claude.com/docs/en/api/rate-limits",
		Model:  "model", Most: outputs,
		Body: []Term{
			{Field: "usage.input_tokens", Unit: "input-tokens"},
			{Field: "usage.cache_creation_input_tokens", Unit: "input-tokens"},
			{Field: "usage.output_tokens", Unit: "output-tokens"},
		},
	},
	{
		// Tokens a minute are those of the input alone.
		Name: "gemini", Hosts: []string{"generativelanguage.googleapis.com", "aiplatform.googleapis.com", "*-aiplatform.googleapis.com"},
		Source: "https://ai.google.dev/gemini-api/docs/rate-limits",
		Model:  "/models/", Day: "America/Los_Angeles",
		Body: []Term{
			{Field: "usageMetadata.promptTokenCount", Unit: "tokens"},
			{Field: "usageMetadata.promptTokenCount", Unit: "input-tokens"},
			{Field: "usageMetadata.candidatesTokenCount", Unit: "output-tokens"},
			{Field: "usageMetadata.thoughtsTokenCount", Unit: "output-tokens"},
		},
	},
	{
		// A token of output costs five tokens of quota with Claude 3.7 and later.
		Name: "bedrock", Hosts: []string{"bedrock-runtime.*.amazonaws.com", "bedrock-runtime-fips.*.amazonaws.com"},
		Source: "https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html",
		Model:  "/model/",
		Most: append([]Term{
			{Field: "inferenceConfig.maxTokens", Unit: "tokens"},
			{Field: "inferenceConfig.maxTokens", Unit: "output-tokens"},
		}, outputs...),
		Body: append(
			burndown("usage.inputTokens", "usage.cacheWriteInputTokens", "usage.outputTokens"),            // of Converse
			burndown("usage.input_tokens", "usage.cache_creation_input_tokens", "usage.output_tokens")..., // of the model itself
		),
	},
	{
		Name: "github", Hosts: []string{"api.github.com"}, Path: "/graphql",
		Source: "https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api",
		Body:   []Term{{Field: "rateLimit.cost", Unit: "points"}},
	},
	{
		Name: "shopify", Hosts: []string{"*.myshopify.com"}, Path: "/graphql",
		Source: "https://shopify.dev/docs/api/usage/limits",
		Body:   []Term{{Field: "cost.actualQueryCost", Unit: "points"}},
	},
	{
		Name: "linear", Hosts: []string{"api.linear.app"}, Path: "/graphql",
		Source: "https://linear.app/developers/rate-limiting",
		Header: []Term{{Field: "X-Complexity", Unit: "complexity"}},
	},
	{
		Name: "monday", Hosts: []string{"api.monday.com"}, Path: "/v2",
		Source: "https://developer.monday.com/api-reference/docs/complexity-queries",
		Body:   []Term{{Field: "complexity.query", Unit: "complexity"}},
	},
	{
		Name: "cosmos", Hosts: []string{"*.documents.azure.com"},
		Source: "https://learn.microsoft.com/azure/cosmos-db/request-units",
		Header: []Term{{Field: "X-Ms-Request-Charge", Unit: "request-units"}},
	},
	{
		// The response tells what was spent in all, never what the request cost.
		Name: "binance", Hosts: []string{"api.binance.com", "api*.binance.com", "fapi.binance.com", "dapi.binance.com"},
		Source: "https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits",
	},
}

// outputs are the names that APIs give to the most tokens a response may have.
var outputs = []Term{
	{Field: "max_tokens", Unit: "tokens"},
	{Field: "max_completion_tokens", Unit: "tokens"},
	{Field: "max_output_tokens", Unit: "tokens"},
	{Field: "max_tokens", Unit: "output-tokens"},
	{Field: "max_completion_tokens", Unit: "output-tokens"},
	{Field: "max_output_tokens", Unit: "output-tokens"},
}

// chat is how chat completions, responses and embeddings tell their usage.
var chat = []Term{
	{Field: "usage.total_tokens", Unit: "tokens"},
	{Field: "usage.prompt_tokens", Unit: "input-tokens"},
	{Field: "usage.input_tokens", Unit: "input-tokens"},
	{Field: "usage.completion_tokens", Unit: "output-tokens"},
	{Field: "usage.output_tokens", Unit: "output-tokens"},
}

// burndown returns the terms of what Bedrock takes from the tokens of a quota.
func burndown(input, cached, output string) []Term {
	return []Term{
		{Field: input, Unit: "tokens"},
		{Field: cached, Unit: "tokens"},
		{Field: output, Unit: "tokens", Model: "claude-3-5"},
		{Field: output, Unit: "tokens", Model: "claude-3-haiku"},
		{Field: output, Unit: "tokens", Model: "claude-3-sonnet"},
		{Field: output, Unit: "tokens", Model: "claude-3-opus"},
		{Field: output, Unit: "tokens", Times: 5, Model: "anthropic.claude"},
		{Field: output, Unit: "tokens"},
	}
}
