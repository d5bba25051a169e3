import React, { useState } from "react";
import type { Loan } from "./loan";
export const Panel: React.FC<Props> = ({ title }) => {
  const [open, setOpen] = useState<boolean>(false);
  return <div onClick={() => setOpen(!open)}>{title && <Loan.Row key={make()} {...rest()} />}{list.map((x) => <li>{fmt(x)}</li>)}</div>;
};
namespace shop.lending { export function close() { log("x"); } }
class Old extends React.Component<Props> { render() { return open ? <a /> : this.none!.go(); } }
