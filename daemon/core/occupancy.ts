import type { SessionState } from './session-state.ts';
import { calibrate, type Estimate, estimateAll, hasData, type Measured } from './tokens.ts';

type MeasuredSession = Pick<
  SessionState,
  'sizes' | 'pruneMark' | 'usageRecords' | 'calibration' | 'systemPrompt'
>;

/** What estimates of a session rest on. */
export function measuredOf(session: MeasuredSession): Measured {
  const { sizes, pruneMark, usageRecords: records, calibration, systemPrompt } = session;
  return { sizes, pruneMark, records, calibration, promptBytes: Buffer.byteLength(systemPrompt) };
}

/** Tokens that the session fills in the model's window, as it would be sent now; `moreBytes` come behind it. */
export function occupancyOf(session: MeasuredSession, moreBytes = 0): Estimate {
  return estimateAll(measuredOf(session), moreBytes);
}

/** Null as long as nothing was measured. */
export function measuredRate(session: MeasuredSession): number | null {
  const measured = measuredOf(session);
  return hasData(measured) ? calibrate(measured).tokensPerByte : null;
}
