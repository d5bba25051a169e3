import { OutOfStock } from './stock.js';

export async function serveAll(stock, orders, { pause = 0 } = {}) {
  const served = [];
  for (const { number, lines } of orders) {
    const taken = [];
    try {
      for (const [code, count] of Object.entries(lines)) {
        stock.take(code, count);
        taken.push([code, count]);
      }
      served.push(number);
    } catch (error) {
      if (!(error instanceof OutOfStock)) throw error;
      taken.forEach(([code, count]) => stock.put(code, count));
    }
    if (pause) await new Promise((wake) => setTimeout(wake, pause));
  }
  return served;
}
