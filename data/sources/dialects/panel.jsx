import React, { useState } from 'react';

const LIMIT = 3;

export function Panel({ title, items = [], ...rest }) {
  const [open, setOpen] = useState(false);
  const toggle = () => setOpen(!open);
  return (
    <section className="panel" {...rest}>
      <h2 onClick={toggle}>{title} &mdash; {items.length}</h2>
      {open && items.slice(0, LIMIT).map((item) => <Panel.Item key={item.id} item={item} />)}
      <></>
    </section>
  );
}

Panel.Item = ({ item }) => <li>{item.name}</li>;
export default React.memo(Panel);
