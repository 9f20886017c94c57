/**
 * Who pressed End walks away from the page: the wish outlives the line. Pure.
 *
 * It is asked for again each time the line is back and the same lesson still goes on, until the server says that it
 * is over. Asking twice does no harm: a lesson ends once.
 */
export class Ending {
  private lesson: string | null = null;
  private back = false;

  /** End was pressed in this lesson. */
  wanted(lesson: string | null): void {
    this.lesson = lesson;
  }

  /** She teaches on. */
  forget(): void {
    this.lesson = null;
  }

  /** The line is back; the server tells next how the lesson stands. */
  lineBack(): void {
    this.back = true;
  }

  /** The server told how the lesson stands (null: it knows of none yet); true: ask for its end again. */
  told(lesson: string | null, onAir: boolean): boolean {
    if (lesson === null) return false;
    if (lesson !== this.lesson || !onAir) this.forget();
    const again = this.back && this.lesson !== null;
    this.back = false;
    return again;
  }
}
