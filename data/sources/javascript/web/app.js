import { table, sortBy } from './table.js';

const view = document.querySelector('#stock');
let state = { rows: [], key: 'code', down: false };

function show(change) {
  state = { ...state, ...change };
  view.innerHTML = table(sortBy(state.rows, state.key, state.down));
}

view.addEventListener('click', ({ target }) => {
  const key = target.dataset?.key;
  if (key) show({ key, down: key === state.key && !state.down });
});

fetch('/stock.json')
  .then((answer) => answer.json())
  .then((rows) => show({ rows }))
  .catch(({ message }) => (view.textContent = message));
