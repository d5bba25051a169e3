export interface Options { depth?: number; signal?: AbortSignal }
export declare class Walker {
  private constructor(options: Options);
  static start(path: string): Walker;
  protected next(): Promise<string | undefined>;
}
export declare const VERSION: string;
export type Visit = (path: string) => boolean;
declare global { interface Window { walker: Walker } }
