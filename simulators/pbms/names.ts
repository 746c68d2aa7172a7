import type { Random } from '../shared/random.ts';

const givenNames = (
  'Abena Adjoa Aisha Amadou Amara Ana Anjali Asha Baraka Beatriz Binta Chidi Chipo Daniela Deepa Desta Elena ' +
  'Emeka Esperanza Fátima Farah Fiifi Gabriel Grace Halima Hassan Inés Ismail Jamila João José Juma Kamala ' +
  'Karim Kofi Kwame Lakshmi Lerato Lúcia Luz Makena Manuel Maryam Mehdi Miriam Moussa Nadia Naledi Ngozi Nia ' +
  'Noor Ochieng Olga Omar Palesa Priya Rahel Ravi Rosa Rukmini Salma Samuel Sita Sofía Suresh Tadesse Tariq ' +
  'Thabo Tomás Usha Wanjiru Yusuf Zainab Zoë'
).split(' ');

const familyNames =
  "Abebe,Acheampong,Adeyemi,Ahmed,Alvarez,Amoah,Banda,Barros,Bekele,Bhatt,Castillo,Chaudhry,Cissé,D'Souza," +
  'da Silva,Dar,Devi,Diallo,Dlamini,Fernandes,Flores,García,Gomes,Guerra,Hailu,Haidari,Ibrahim,Iyer,Jallow,' +
  "Kamau,Kaur,Keïta,Kimani,Kumar,Lal,Lopes,Maina,Mamani,Mbeki,Mendoza,Mensah,Mohamed,Moyo,Mwangi,N'Diaye," +
  'Nair,Ncube,Nkosi,Núñez,Nyambura,Oduya,Okafor,Okonkwo,Otieno,Patel,Peña,Quispe,Rahman,Ramos,Reyes,' +
  'Ríos,Sandoval,Sesay,Shah,Singh,Sow,Tembo,Tesfaye,Torres,Touré,Uwase,Vargas,Wafula,Yadav,Yilma,Zulu';

const families = familyNames.split(',');

const regionNames = [
  'Lake Basin',
  'Northern Highlands',
  'Coastal Plain',
  'Eastern Savanna',
  'River Delta',
  'Southern Valleys',
  'Western Hills',
  'Central Plateau',
  'Cedar Uplands',
  'Dry North',
];

const placeBeginnings =
  'Amba Bora Dala Eldo Gara Hala Isi Kala Kiru Luma Mala Mbara Nako Ngara Oro Pala Rumu Sanga Tala Wami'.split(
    ' ',
  );
const placeEndings =
  'bani beni dori goro kori la lundi mba mira ndo neri poli ra ret roko si tana vale wani zi'.split(' ');

/** A person's name, as it is written: with accents, apostrophes and spaces. */
export function personName(random: Random): string {
  return `${pick(givenNames, random)} ${pick(families, random)}`;
}

/** Names of large zones, all different. */
export function namesOfRegions(count: number): string[] {
  return distinct(regionNames, count);
}

/** Names of small zones, all different. */
export function namesOfPlaces(count: number, random: Random): string[] {
  const places = placeBeginnings.flatMap((beginning) => placeEndings.map((ending) => beginning + ending));
  return distinct(shuffled(places, random), count);
}

/** `Lake Basin 2` as a code: `LAKE-BASIN-2`. */
export function mnemonicOf(name: string): string {
  return name.toUpperCase().replaceAll(' ', '-');
}

/** An e-mail address of a person, at a domain that nobody can have. */
export function emailOf(person: string, domain: string): string {
  const letters = person.normalize('NFD').toLowerCase();
  const host = domain.toLowerCase().replace(/[^a-z0-9-]+/g, '-');
  return `${letters.replace(/[^a-z ]/g, '').replaceAll(' ', '.')}@${host}.example`;
}

/** One item of a list, each as likely as the others. @throws RangeError when the list is empty */
export function pick<T>(items: readonly T[], random: Random): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError('There is nothing to pick from.');
  return item;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

/** The first so many names; when they are used up, again with a number behind. */
function distinct(names: readonly string[], count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const name = names[index % names.length] ?? '';
    const round = Math.floor(index / names.length) + 1;
    return round === 1 ? name : `${name} ${round}`;
  });
}
