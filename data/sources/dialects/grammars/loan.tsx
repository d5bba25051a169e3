import { useState } from 'react';

type Props = { title: string };

export function Panel({ title }: Props) {
  const [open, setOpen] = useState<boolean>(false);
  return <button onClick={() => setOpen(!open)}>{open ? title : null}</button>;
}
