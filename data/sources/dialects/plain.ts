import { read } from './files';

const LIMIT = 3;

export function sum(numbers) {
  let total = 0;
  for (const number of numbers) total += number > LIMIT ? LIMIT : number;
  return total;
}

sum(read('numbers'));
