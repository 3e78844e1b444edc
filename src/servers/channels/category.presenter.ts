import { ApiProperty } from '@nestjs/swagger';

export class CategoryView {
  @ApiProperty({ format: 'uuid' }) id: string;
  @ApiProperty({ format: 'uuid' }) serverId: string;
  @ApiProperty({ example: 'Engines' }) name: string;
  @ApiProperty({ example: 0 }) position: number;
}

/** A row is a view already. */
export const CATEGORY_COLUMNS = `id, server_id AS "serverId", name, position`;
