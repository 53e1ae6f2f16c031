import { z } from 'zod';
import type { Operand, Operation, Reference } from '../../spec/interface/operations.js';
import { signedSchema, textSchema, u64Schema, whole } from './scalars.js';

const bit = whole(0, 63);

const referenceSchema: z.ZodType<Reference> = z.strictObject({
  ref: whole(0),
  field: z.exactOptional(
    z
      .tuple([bit, bit])
      .readonly()
      .refine(([high, low]) => high >= low, { error: 'expected [high, low] with high at or above low' }),
  ),
  scale: z.exactOptional(z.int({ error: 'expected a whole number' })),
  plus: z.exactOptional(signedSchema),
});

const operandSchema: z.ZodType<Operand> = z.union([u64Schema, referenceSchema], {
  error: 'expected a hexadecimal string like "0x1f" or a reference {"ref": INDEX, …}',
});

const size = z.literal([4, 8], { error: 'expected 4 or 8' });
const configSize = z.literal([1, 2, 4], { error: 'expected 1, 2 or 4' });
const routingId = whole(0, 0xffff);

const registerAddress = {
  component: textSchema,
  register: textSchema,
  index: z.exactOptional(operandSchema),
  offset: z.exactOptional(whole(0)),
  size,
};

const variants = [
  z.strictObject({
    op: z.literal('store'),
    address: u64Schema,
    words: z.array(u64Schema).min(1),
    repeat: z.exactOptional(whole(1)),
  }),
  z.strictObject({ op: z.literal('paint'), address: u64Schema, bytes: whole(8) }),
  z.strictObject({ op: z.literal('load'), address: u64Schema, bytes: whole(8) }),
  z.strictObject({ op: z.literal('regWrite'), ...registerAddress, value: operandSchema }),
  z.strictObject({ op: z.literal('regRead'), ...registerAddress }),
  z.strictObject({ op: z.literal('poll'), ...registerAddress, mask: u64Schema, expect: u64Schema, limit: whole(1) }),
  z.strictObject({ op: z.literal('configRead'), function: routingId, offset: whole(0, 4095), size: configSize }),
  z.strictObject({
    op: z.literal('configWrite'),
    function: routingId,
    offset: whole(0, 4095),
    size: configSize,
    value: operandSchema,
  }),
  z.strictObject({
    op: z.literal('dma'),
    requester: textSchema,
    pasid: z.exactOptional(whole(0, 0xf_ffff)),
    address: u64Schema,
    direction: z.literal(['read', 'write']),
    bytes: whole(0),
    token: whole(0),
    noSnoop: z.exactOptional(z.boolean()),
  }),
  z.strictObject({ op: z.literal('message'), requester: textSchema, address: u64Schema, data: u64Schema }),
  z.strictObject({ op: z.literal('signal'), requester: textSchema }),
  z.strictObject({
    op: z.literal('cpu'),
    vcpu: textSchema,
    address: u64Schema,
    access: z.literal(['read', 'write', 'execute']),
    bytes: whole(1),
    token: whole(0),
  }),
  z.strictObject({ op: z.literal('controllerRead'), controller: textSchema }),
  z.strictObject({ op: z.literal('eoi'), controller: textSchema }),
  z.strictObject({ op: z.literal('settle') }),
  z.strictObject({ op: z.literal('reset'), scope: z.literal(['warm', 'cold']) }),
] as const;

const names = variants.map((variant) => [...variant.shape.op.values].join()).join(', ');

/** One operation ↔ JSON. */
export const operationSchema: z.ZodType<Operation> = z.discriminatedUnion('op', variants, {
  error: `expected an operation (one of ${names})`,
});
