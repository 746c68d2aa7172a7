import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RoleNames, roleIn } from '../../src/api/operator/access/roles.ts';
import { ROLES } from '../../src/api/operator/wire/common.ts';
import { loadConfig } from '../../src/config.ts';

const OWN: RoleNames = { viewer: ['viewer'], operator: ['operator'], payer: ['payer'] };
const role = fc.constantFrom(...ROLES);
const noRole = fc.string().filter((text) => !ROLES.some((one) => one === text));
/** A name of a claim that has no dots, and is no number: those come first in every object. */
const name = fc.stringMatching(/^[a-z_:/-]{1,12}$/);

describe('the role in a token', () => {
  it('is the highest of all that it gives, whatever else is in the list and wherever the list is', () => {
    const lists = fc.array(fc.oneof(role, noRole, fc.jsonValue()), { maxLength: 20 });
    fc.assert(
      fc.property(lists, fc.array(name, { minLength: 1, maxLength: 4 }), (list, path) => {
        const claims = path.reduceRight<unknown>((inner, step) => ({ [step]: inner }), list);
        const highest = ROLES.findLast((one) => list.includes(one)) ?? null;
        expect(roleIn(Object(claims), path.join('.'), OWN)).toBe(highest);
      }),
    );
  });

  it('may be one text, and the name of its claim may have dots', () => {
    fc.assert(
      fc.property(role, fc.array(name, { minLength: 1, maxLength: 4 }), (one, parts) => {
        const path = parts.join('.');
        expect(roleIn({ [path]: one }, path, OWN)).toBe(one);
        expect(roleIn({ realm: { [path]: [one] } }, `realm.${path}`, OWN)).toBe(one);
      }),
    );
  });

  it('is found in no token that does not name one of ours, whatever it has', () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 3 }), fc.string(), (claims, path) => {
        const names: RoleNames = { viewer: ['\u0000v'], operator: ['\u0000o'], payer: ['\u0000p'] };
        expect(roleIn(claims, path, names)).toBeNull();
      }),
    );
  });

  it.each(['constructor.name', '__proto__', 'toString', 'roles.length', 'roles.0'])(
    'is not at %s, which every object or list has',
    (path) => {
      const names = { ...OWN, payer: ['Object', '1', 'payer'] };
      expect(roleIn({ roles: ['payer'] }, path, names)).toBeNull();
    },
  );

  it('goes by the names that the settings give', () => {
    const { operator_role_names: names } = loadConfig({
      G2P_BRIDGE_OPERATOR_ROLE_NAMES: '{"payer":["g2p-payers","treasury"],"viewer":[]}',
    });
    expect(roleIn({ groups: ['treasury', 'viewer'] }, 'groups', names)).toBe('payer');
    expect(roleIn({ groups: ['payer'] }, 'groups', names)).toBeNull();
    expect(roleIn({ groups: ['viewer'] }, 'groups', names)).toBeNull();
    expect(roleIn({ groups: ['operator'] }, 'groups', names)).toBe('operator');
  });
});
