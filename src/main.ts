import 'dotenv/config';
import { boot } from './boot/boot.js';

await boot();
