import { crc32, deflateRawSync } from 'node:zlib';

const ENCRYPTED = 1;
const DEFLATED = 8;

export interface ZipFileOptions {
  encrypted?: boolean;
  /** As the archive has it, whatever the bytes say. */
  crc?: number;
  size?: number;
  method?: number;
}

/** A ZIP of these files, which may be told to be wrong. */
export function zipOf(files: [name: string, content: string | Buffer, wrong?: ZipFileOptions][]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content, wrong = {}] of files) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(wrong.encrypted ? ENCRYPTED : 0, 2);
    fields.writeUInt16LE(wrong.method ?? DEFLATED, 4);
    fields.writeUInt32LE(wrong.crc ?? crc32(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(wrong.size ?? bytes.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const entry = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02\x14\x00'), fields, place, Buffer.from(name));
    local.push(entry);
    offset += entry.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...local, directory, Buffer.from('PK\x05\x06'), end]);
}
