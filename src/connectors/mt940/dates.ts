/** Dates as MT940 writes them, turned into YYYY-MM-DD. */

const dayMs = 86_400_000;
const entryDateDistanceDaysMax = 184;
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Reads YYMMDD, or YYYYMMDD as some banks write. Two-digit years 80 to 99 are 1980 to 1999 and 00 to 79 are
 * 2000 to 2079, the rule of the SWIFT standards for six-digit dates.
 * @returns null when it is not a day of the calendar.
 */
export function readDate(digits: string): string | null {
  if (digits.length !== 6 && digits.length !== 8) return null;
  const monthDay = digits.slice(-4);
  const short = Number(digits.slice(0, -4));
  const year = digits.length === 8 ? short : short + (short >= 80 ? 1900 : 2000);
  return year < 1900 || year > 2199 ? null : dateOf(year, monthDay);
}

/**
 * Reads the MMDD of an entry date. It has no year: the one is taken that brings it nearest to the value
 * date, so that value date 1 January with entry date 31 December is the year before, and the other way round.
 * @param valueDate YYYY-MM-DD
 * @returns null when it is not a day of the calendar near the value date (29 February in no leap year).
 */
export function readEntryDate(monthDay: string, valueDate: string): string | null {
  const year = Number(valueDate.slice(0, 4));
  if (monthDay.slice(0, 2) === valueDate.slice(5, 7)) return dateOf(year, monthDay);
  const valueMs = Date.parse(valueDate);
  let nearest: string | null = null;
  let nearestMs = entryDateDistanceDaysMax * dayMs;
  for (const candidateYear of [year, year - 1, year + 1]) {
    const candidate = dateOf(candidateYear, monthDay);
    if (candidate === null) continue;
    const distanceMs = Math.abs(Date.parse(candidate) - valueMs);
    if (distanceMs > nearestMs) continue;
    nearest = candidate;
    nearestMs = distanceMs;
  }
  return nearest;
}

function dateOf(year: number, monthDay: string): string | null {
  const month = Number(monthDay.slice(0, 2));
  const day = Number(monthDay.slice(2));
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && leap ? 29 : (monthDays[month - 1] ?? 0);
  if (day < 1 || day > days) return null;
  return `${year}-${monthDay.slice(0, 2)}-${monthDay.slice(2)}`;
}
