/**
 * What of the SDK podd uses; the rest of it is three quarters of its code. Loaded at the first request, so nothing but
 * that request's code imports this module, and only dynamically.
 */
export { BaseAnthropic } from '@anthropic-ai/sdk/client';
export { Messages } from '@anthropic-ai/sdk/resources/messages/messages';
