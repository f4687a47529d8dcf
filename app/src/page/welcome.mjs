// Asks whose the link is and sets the password. The link's token is kept here alone, and goes nowhere but into the body of a request.

const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname + location.search);
// Another link was pasted over this page's address.
addEventListener('hashchange', () => location.reload());

const part = (id) => document.getElementById(id);
const { base } = document.documentElement.dataset;
const form = part('form');
const fields = [part('new'), part('repeat')];

/** The answer to what is asked about the link, or the sentence that says why there is none. */
async function ask(what, more) {
  try {
    const response = await fetch(`${base}/api/flowdeck/v1/invites/${what}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, ...more }),
    });
    const { status } = response;
    const told = await response.json().catch(() => ({}));
    if (response.ok) return { status, told };
    if (status === 429) return { status, why: `Too many attempts. Try again in ${response.headers.get('retry-after') ?? 60} s.` };
    return { status, why: sentence(told.message ?? `Flowdeck answered ${status}; try again in a moment`) };
  } catch {
    return { status: 0, why: 'Flowdeck does not answer. Try again in a moment.' };
  }
}

/** An error's message, without the name of the field that it is about. */
function sentence(message) {
  const text = message.replace(/^`\w+`: /, '');
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function trouble(why) {
  part('trouble').querySelector('.text').textContent = why;
  part('trouble').hidden = !why;
}

/** Says beside a field what is wrong with it. */
function blame(field, why) {
  const error = part(`${field.id}-error`);
  error.textContent = why;
  error.hidden = !why;
  if (why) field.setAttribute('aria-invalid', 'true');
  else field.removeAttribute('aria-invalid');
}

/** The link is worth nothing, or no longer. Whoever has set a password already can sign in. */
function close(why) {
  trouble(why);
  form.hidden = true;
  part('who').hidden = true;
  part('sign-in').hidden = false;
}

async function look() {
  trouble('');
  part('again').hidden = true;
  if (!/^fdi_[\w-]{43}$/.test(token)) {
    return close('This is not the whole link. Open it again as it was given to you, up to its end, or ask the owner of this MLflow for a new one.');
  }
  const { status, told, why } = await ask('look');
  if (status === 401) return close(why);
  if (why) {
    trouble(why);
    part('again').hidden = false;
    return;
  }
  const name = document.createElement('strong');
  name.textContent = told.user;
  const until = new Date(told.expires_at).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short' });
  part('who').replaceChildren(told.new ? 'You are invited as ' : 'A new password for ', name, `. This link works once, until ${until}.`);
  part('username').value = told.user;
  part('who').hidden = false;
  form.hidden = false;
  fields[0].focus();
}

/** What is wrong, as far as it can be seen here: the field and why. */
function fault() {
  const [password, repeat] = fields.map((field) => field.value);
  if (/[^\x00-\x7f]/.test(password)) return [fields[0], 'Only plain (ASCII) letters, digits and signs: MLflow takes no others.'];
  if (password.length < 12) return [fields[0], 'Too short: it needs at least 12 characters.'];
  if (password.length > 1024) return [fields[0], 'Too long: it may have at most 1024 characters.'];
  if (password !== repeat) return [fields[1], 'The two passwords differ.'];
}

async function redeem() {
  trouble('');
  for (const field of fields) blame(field, '');
  let wrong = fault();
  if (!wrong) {
    const { status, told, why } = await ask('redeem', { password: fields[0].value });
    if (told) return done(told.user);
    if (status === 401) return close(why);
    if (status !== 400) return trouble(why);
    wrong = [fields[0], why];
  }
  blame(...wrong);
  wrong[0].focus();
}

function done(user) {
  form.reset();
  form.hidden = true;
  part('who').hidden = true;
  part('done').hidden = false;
  const link = part('sign-in');
  link.search = new URLSearchParams({ name: user });
  link.classList.add('primary');
  link.hidden = false;
  link.focus();
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  // Pressed twice, it would tell of a link that was just used.
  if (button.disabled) return;
  button.disabled = true;
  await redeem();
  button.disabled = false;
});
part('again').addEventListener('click', look);
await look();
