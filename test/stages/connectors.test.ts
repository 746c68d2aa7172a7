import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { openConnectors } from '../../src/stages/connectors.ts';

const NOWHERE = 'postgresql://u:p@127.0.0.1:1/d';
const IN_KIND = {
  G2P_BRIDGE_IN_KIND_ENABLED: 'true',
  G2P_BRIDGE_DB_DATASOURCE_PBMS: NOWHERE,
  G2P_BRIDGE_DB_DATASOURCE_REGISTRY: NOWHERE,
};
const ACCOUNT = { sponsor_bank_code: 'EXAMPLE-BANK', program_account_number: '4021' };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connectors-'));
  const mapper = `
    export const closed = [];
    export const createMapperConnector = () => ({ resolve: async () => [], close: async () => closed.push('mapper') });`;
  await writeFile(join(folder, 'mapper.mjs'), mapper);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the connectors of a process', () => {
  it('are for digital cash only unless in_kind_enabled, with sponsor banks from the configuration', async () => {
    const connectors = await openConnectors(
      loadConfig({ G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS: JSON.stringify({ '1:2': ACCOUNT }) }),
    );
    expect(connectors).toMatchObject({ inKind: null, notifier: null });
    const { sponsorBanks } = connectors;
    expect(sponsorBanks.source).toBe('sponsor_bank_configurations');
    expect(await sponsorBanks.of(1, '2')).toMatchObject(ACCOUNT);
    expect(await sponsorBanks.of(1, 3)).toBeUndefined();
    expect(await sponsorBanks.ofAccount('4021')).toMatchObject(ACCOUNT);
    expect(await sponsorBanks.ofAccount('4022')).toBeUndefined();
    await connectors.close();
  });

  it('are made without the databases being there, and report them as down when used', async () => {
    const connectors = await openConnectors(loadConfig(IN_KIND));
    const ctx = { signal: new AbortController().signal };
    expect([...(connectors.inKind?.geoResolvers.keys() ?? [])]).toEqual(['farmer_registry', 'farmer']);
    await expect(connectors.inKind?.geoResolvers.get('farmer')?.resolve(['B'], ctx)).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
    });
    const zones = [{ id: '1', mnemonic: 'Z' }];
    const request = {
      programId: '1',
      programMnemonic: 'P',
      benefitCodeId: '1',
      benefitCodeMnemonic: 'B',
      zones,
    };
    const down = { code: 'PBMS_UNAVAILABLE' };
    await expect(connectors.inKind?.warehouses.candidates(request, ctx)).rejects.toMatchObject(down);
    await expect(connectors.inKind?.agencies.candidates(request, ctx)).rejects.toMatchObject(down);
    await expect(connectors.sponsorBanks.of(1, 2)).rejects.toMatchObject(down);
    expect(connectors.notifier?.bulkMax).toBe(100);
    await connectors.close();
  });

  it('are closed again when one of them cannot be made', async () => {
    const mapper = join(folder, 'mapper.mjs');
    const config = loadConfig({
      ...IN_KIND,
      G2P_BRIDGE_MAPPER_CONNECTOR_IMPL: mapper,
      G2P_BRIDGE_NOTIFICATION_CONNECTOR_IMPL: mapper,
    });
    await expect(openConnectors(config)).rejects.toThrow(
      /^G2P_BRIDGE_NOTIFICATION_CONNECTOR_IMPL: ".*" exports no function createNotificationConnector\.$/,
    );
    const { closed } = await import(mapper);
    expect(closed).toEqual(['mapper']);
  });
});
