import { ApiProperty } from '@nestjs/swagger';
import type { AttachmentData } from '../message.entity.js';

export class AttachmentView {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ example: 'holiday.jpg' }) name: string;
  @ApiProperty({ description: 'By its content, not by its name.', example: 'image/jpeg' }) type: string;
  @ApiProperty({ description: 'In bytes.', example: 81_920 }) size: number;
  @ApiProperty({ type: Number, nullable: true, description: 'Of a picture, in pixels as it is seen.' })
  width: number | null;
  @ApiProperty({ type: Number, nullable: true }) height: number | null;
  @ApiProperty({ description: 'Takes the access token; for a link without one see `POST /attachments/{id}/link`.' })
  url: string;
  @ApiProperty({ type: String, nullable: true, description: 'A WebP of at most 400 by 400; of pictures.' })
  thumbnailUrl: string | null;
}

export function presentAttachment({ thumbnail, ...data }: AttachmentData): AttachmentView {
  const url = `/api/v1/attachments/${data.id}`;
  const { id, name, type, size, width, height } = data;
  return { id, name, type, size, width, height, url, thumbnailUrl: thumbnail ? `${url}/thumbnail` : null };
}

/** What a query on attachments selects so that its rows are AttachmentData. */
export const ATTACHMENT_COLUMNS = `id, name, type, size, width, height, thumbnail`;
