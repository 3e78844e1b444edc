import { hasRedis } from '../support/redis-server.js';
import { planOf } from './plan.js';
import { runPlan } from './run.js';

(hasRedis && process.platform !== 'win32' ? describe : describe.skip)(
  'a rolling restart of two nodes under load',
  () => {
    it('loses nothing, doubles nothing, and tells everybody to come back', async () => {
      const plan = {
        ...planOf(1, 8),
        faults: [0, 1].map((node) => ({ at: 1_000, kind: 'node stopped' as const, ms: 0, way: 'both' as const, node })),
      };
      const { wrong, closings, readiness, figures } = await runPlan(plan, { inTurn: true });
      expect(wrong.slice(0, 20)).toEqual([]);
      expect(figures.said).toBeGreaterThan(0);
      expect(readiness).toContain(503);
      expect(closings.length).toBeGreaterThan(0);
      expect(closings.every((code) => code === 1012)).toBe(true);
    }, 180_000);
  },
);
