const sum = (rows, key) => rows.reduce((total, row) => total + row[key], 0);

export function table(rows) {
  const cells = (row) => ['code', 'name', 'count'].map((key) => `<td>${row[key]}</td>`).join('');
  const body = rows.map((row) => `<tr>${cells(row)}</tr>`).join('\n');
  return `<table>${body}<tr><td colspan="2">Σ</td><td>${sum(rows, 'count')}</td></tr></table>`;
}

export function sortBy(rows, key, down = false) {
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => (a[key] < b[key] ? -sign : a[key] > b[key] ? sign : 0));
}
