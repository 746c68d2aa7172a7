import { z } from 'zod';
import { lists } from '../partner/fields.ts';

/** A JSON Schema (draft 2020-12), as OpenAPI 3.1 embeds it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Schemas that are published once and referred to, by the schema that they are made of. */
export type Components = ReadonlyMap<z.ZodType, string>;

/** Where a component is in the document. */
export const componentRef = (name: string): string => `#/components/schemas/${name}`;

/**
 * What a schema takes, as JSON Schema: of a request what is sent, before it is made into what we work with.
 *
 * @param components that are referred to rather than repeated; the schema itself is always written out
 * @throws Error for a schema that JSON Schema cannot say and that is not registered with what to publish instead
 */
export function jsonSchemaOf(schema: z.ZodType, components: Components = new Map()): JsonSchema {
  const { $schema: _, ...published } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: ({ zodSchema }) => (z.globalRegistry.get(zodSchema)?.type ? 'any' : 'throw'),
    override: ({ zodSchema, jsonSchema, path }) => {
      // As the library types it, any schema; as we build them, always of this class.
      const part = zodSchema as unknown as z.ZodType;
      const name = path.length > 0 ? components.get(part) : undefined;
      const list = lists.get(part);
      if (name !== undefined) become(jsonSchema, { $ref: componentRef(name) });
      else if (list) {
        const { item, itemsMax } = list;
        become(jsonSchema, { type: 'array', maxItems: itemsMax, items: partOf(item, components) });
      }
    },
  });
  return published;
}

function partOf(schema: z.ZodType, components: Components): JsonSchema {
  const name = components.get(schema);
  return name === undefined ? jsonSchemaOf(schema, components) : { $ref: componentRef(name) };
}

function become(target: Record<string, unknown>, said: JsonSchema): void {
  for (const key of Object.keys(target)) delete target[key];
  Object.assign(target, said);
}
