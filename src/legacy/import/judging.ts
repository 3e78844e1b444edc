/**
 * What cannot be carried gets its reason, what was carried before is marked, and the rest its place: set by set,
 * so that a million rows cost as much memory here as ten. $1 is the scope.
 */
export const JUDGE = [
  `CREATE INDEX ON staged (ext) WHERE is_room`,
  `ANALYZE staged`,
  `UPDATE staged s SET reason = 'duplicate id'
   FROM (SELECT n, row_number() OVER (PARTITION BY is_room, ext ORDER BY n) AS nth FROM staged WHERE reason IS NULL) d
   WHERE d.n = s.n AND d.nth > 1`,
  // Rooms: known from an earlier run, or new under an id that is made of the scope and their own.
  `CREATE TEMP TABLE rooms ON COMMIT DROP AS
   SELECT s.ext, coalesce(known.target_id, overlay(overlay(md5($1::text || E'\\x1froom\\x1f' || s.ext)
       PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid) AS id,
     known.target_id IS NULL AS is_new, s.person, s.other, s.role, s.created,
     coalesce(c.last_seq, 0) AS last_seq, coalesce(c.last_rev, 0) AS last_rev,
     known.target_id IS NOT NULL AND c.id IS NULL AS is_gone
   FROM staged s
   LEFT JOIN imported_ids known ON known.scope = $1::uuid AND known.kind = 'conversation' AND known.external_id = s.ext
   LEFT JOIN conversations c ON c.id = known.target_id
   WHERE s.is_room AND s.reason IS NULL`,
  `CREATE UNIQUE INDEX ON rooms (ext)`,
  `ANALYZE rooms`,
  `UPDATE staged s SET reason = 'orphaned message: its conversation is missing or was not carried'
   WHERE NOT is_room AND reason IS NULL AND NOT EXISTS (SELECT 1 FROM rooms r WHERE r.ext = s.room_ext)`,
  `CREATE TEMP TABLE texts ON COMMIT DROP AS
   SELECT s.n, r.id AS room, known.target_id IS NOT NULL AS is_known,
     known.fingerprint IS NOT NULL AND known.fingerprint <> s.fingerprint AS has_changed, r.is_gone,
     overlay(overlay(md5($1::text || E'\\x1fmessage\\x1f' || s.ext) PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid AS id,
     CASE WHEN known.target_id IS NULL THEN row_number() OVER (
       PARTITION BY r.id, known.target_id IS NULL ORDER BY s.place, s.n) END AS nth
   FROM staged s
   JOIN rooms r ON r.ext = s.room_ext
   LEFT JOIN imported_ids known ON known.scope = $1::uuid AND known.kind = 'message' AND known.external_id = s.ext
   WHERE NOT s.is_room AND s.reason IS NULL`,
  `UPDATE staged s SET reason = CASE WHEN t.has_changed THEN 'its id was carried before with another content'
     ELSE 'its conversation was carried before and has been deleted since' END
   FROM texts t WHERE t.n = s.n AND (t.has_changed OR (t.is_gone AND NOT t.is_known))`,
  `DELETE FROM texts t WHERE EXISTS (SELECT 1 FROM staged s WHERE s.n = t.n AND s.reason IS NOT NULL)`,
  `ANALYZE texts`,
];
