import { useState, type ReactNode } from 'react';

interface Props { title: string; children?: ReactNode }
type Handler = (open: boolean) => void;

export const Panel = ({ title, children }: Props, onToggle?: Handler) => {
  const [open, setOpen] = useState<boolean>(false);
  return <div title={title} onClick={() => { setOpen(!open); onToggle?.(open); }}>{open ? children : null}</div>;
};
