import { Item } from './api';

interface Props {
  items: Item[];
  onTake(code: string): void;
}

export const StockList = ({ items, onTake }: Props) => (
  <ul className="stock">
    {items.map((item) => (
      <li key={item.code} data-low={item.count < 3}>
        {item.name}: {item.count} <button onClick={() => onTake(item.code)}>take</button>
      </li>
    ))}
  </ul>
);
