// Keeps the lessons done in a cookie of this browser: their names, nothing else. What another tab has written stays.
const NAME = 'lessons_done';
const LONGEST = 3000; // characters; browsers keep about 4,000 per cookie. The names that came first go first.
const YEAR = 365 * 24 * 3600;
let forgotten = 0;

export default function ({ data }) {
  const cookie = document.cookie.split('; ').find((each) => each.startsWith(`${NAME}=`));
  const kept = cookie ? cookie.slice(NAME.length + 1).split('.') : [];
  const names = [...new Set([...(data.forgotten > forgotten ? [] : kept), ...data.done])].filter(Boolean);
  forgotten = data.forgotten; // after a restart of the server it counts from 0 again
  while (names.join('.').length > LONGEST) names.shift();
  document.cookie = `${NAME}=${names.join('.')}; Path=/; Max-Age=${names.length ? YEAR : 0}; SameSite=Lax`;
}
