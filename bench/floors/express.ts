import { createSecretKey } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import express, { type NextFunction, type Request, type Response } from 'express';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';

/** The floor of REST: checks the JWT, runs one statement, answers. Its table is its own. */
// A key, as the app has it: from a text each check would take 450 µs and not 10.
const jwt = new JwtService({ secret: createSecretKey(process.env.FLOOR_SECRET ?? '', 'utf8') });
const pool = new pg.Pool({ connectionString: process.env.FLOOR_DATABASE_URL, max: 20 });
await pool.query(`CREATE TABLE IF NOT EXISTS floor_messages (
  room text, seq bigserial, id uuid, content text, created_at timestamptz DEFAULT now(), PRIMARY KEY (room, seq))`);

const app = express();
app.use(express.json());
app.get('/health/live', (_request, response) => void response.json({}));
app.use((request: Request, response: Response, next: NextFunction) => {
  try {
    jwt.verify((request.headers.authorization ?? '').slice('Bearer '.length));
    next();
  } catch {
    response.status(401).end();
  }
});
app.post(
  '/rooms/:room',
  async ({ params, body }: Request<{ room: string }, unknown, { content: string }>, response) => {
    const { rows } = await pool.query<{ seq: string }>(
      'INSERT INTO floor_messages (room, id, content) VALUES ($1, $2, $3) RETURNING *',
      [params.room, uuidv7(), body.content],
    );
    response.status(201).json(rows[0]);
  },
);
/** Answers as many bytes as the page of the real thing, so that both write the same to the wire. */
app.get('/rooms/:room', async ({ params }: Request<{ room: string }>, response) => {
  const { rows } = await pool.query<object>('SELECT * FROM floor_messages WHERE room = $1 ORDER BY seq DESC LIMIT 50', [
    params.room,
  ]);
  const padding = '.'.repeat(Number(process.env.FLOOR_ROW_BYTES));
  response.json(rows.map((row) => ({ ...row, padding })));
});
app.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
