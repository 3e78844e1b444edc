import { type Cluster } from './cluster.js';
import { EmbeddedPostgresError } from './errors.js';
import { type LockState } from './lock-file.js';

const STANDSTILL_MS = 30_000;
const TOTAL_MS = 10 * 60_000;

/** How long a start is waited for: half a minute, and longer while a recovery after a crash reports that it goes on. */
export class Patience {
  private readonly began = Date.now();
  private lastProgress = Date.now();
  private logSize: number | undefined;

  constructor(private readonly cluster: Cluster) {}

  /** Throws EmbeddedPostgresError once it is over. */
  async check(lock: LockState): Promise<void> {
    if (lock.kind === 'held' && lock.postmaster.status === 'starting') await this.watchLog();
    const now = Date.now();
    if (now - this.lastProgress < STANDSTILL_MS && now - this.began < TOTAL_MS) return;
    throw new EmbeddedPostgresError(
      `PostgreSQL on ${this.cluster.dir} is not ready after ${Math.round((now - this.began) / 1000)} s: ` +
        `${describe(lock)}.${await this.cluster.serverLog.tail()}`,
    );
  }

  private async watchLog(): Promise<void> {
    const size = await this.cluster.serverLog.size();
    if (size !== this.logSize) this.lastProgress = Date.now();
    this.logSize = size;
  }
}

function describe(lock: LockState): string {
  if (lock.kind !== 'held') return 'it does not come up';
  const { pid, status } = lock.postmaster;
  if (status === 'stopping') return `process ${pid} is shutting down and does not end; end it by hand`;
  return status === 'starting' ? `process ${pid} is still starting` : `process ${pid} runs and takes no connections`;
}
