type Listeners<Events> = { [Type in keyof Events]?: Set<(event: Events[Type]) => void> };

/** Calls who listens, in the order in which they began to. */
export class Emitter<Events extends object> {
  private readonly listeners: Listeners<Events> = {};

  /** Gives what ends the listening. */
  on<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): () => void {
    const listeners = (this.listeners[type] ??= new Set());
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  protected emit<Type extends keyof Events>(type: Type, event: Events[Type]): void {
    for (const listener of this.listeners[type] ?? []) listener(event);
  }
}
