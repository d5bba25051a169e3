export { Stock, OutOfStock } from './stock.js';
export { serveAll } from './orders.js';
export * as codes from './codes.js';
