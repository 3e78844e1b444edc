import { cleanUp } from './global-setup.js';

export default cleanUp;
