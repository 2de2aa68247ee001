import type { RequestShape } from '../core/checked-items.ts';
import type { Model } from '../ports/model.ts';

/** What a request to `model` has to look like. The builder and the check of one Pod go by the same. */
export function shapeFor({ provider, model, order }: Model): RequestShape {
  return { provider, model, ...order };
}
