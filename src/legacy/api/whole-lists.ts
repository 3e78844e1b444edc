import { StreamableFile } from '@nestjs/common';
import { Readable } from 'node:stream';
import type { Reader } from '../../access/pass.js';
import type { HistoryService } from '../../messages/history.service.js';
import type { MessageView } from '../../messages/message.presenter.js';
import type { Page } from '../../platform/http/paging.js';

const PAGE = 100;

/** Old clients know no pages: they are given everything, read page by page while it is being sent. */
export async function* everyPage<T>(read: (page: { limit: number; cursor?: string }) => Promise<Page<T>>) {
  let cursor: string | null | undefined;
  do {
    const page: Page<T> = await read({ limit: PAGE, ...(cursor && { cursor }) });
    yield page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}

/** All messages of a room in their order, without the deleted ones, which the old systems did not keep. */
export async function* wholeHistory(history: HistoryService, reader: Reader): AsyncGenerator<MessageView[]> {
  for (let after = 0, more = true; more;) {
    const page = await history.page(reader, { after }, PAGE);
    yield page.items.filter(({ content }) => content !== null);
    after = page.items.at(-1)?.seq ?? after;
    ({ more } = page);
  }
}

/**
 * A JSON array between `before` and `after`, sent as its pages are read, so that memory stays flat. What fails on the
 * first page is thrown from here, before the answer has begun.
 */
export async function jsonArray<T>(
  pages: AsyncGenerator<T[]>,
  present: (item: T) => object | undefined,
  [before, after] = ['', ''],
): Promise<StreamableFile> {
  const first = await pages.next();
  async function* text() {
    let lead = `${before}[`;
    for (let page = first; !page.done; page = await pages.next()) {
      const shown = page.value.map(present).filter((item) => item !== undefined);
      if (shown.length === 0) continue;
      yield lead + shown.map((item) => JSON.stringify(item)).join(',');
      lead = ',';
    }
    yield `${lead === ',' ? '' : lead}]${after}`;
  }
  return new StreamableFile(Readable.from(text()), { type: 'application/json; charset=utf-8' });
}
