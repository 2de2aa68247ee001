import type { WorkerPorts } from './worker-ports.ts';

/** Work of a call, as activity that ends when it really has, also when nobody waits for it any more. */
export async function trackCall<T>(
  ports: Pick<WorkerPorts, 'activity'>,
  call: { readonly callId: string },
  work: Promise<T>,
): Promise<T> {
  const end = ports.activity.begin({ kind: 'tool_call', id: call.callId });
  try {
    return await work;
  } finally {
    end();
  }
}
