// Experiments, changed: create, rename, delete, undo, tags, notes.

import { reload } from './lib/guard';
import { expect, fresh, test } from './lib/test';

/** A name in a sentence, isolated so that its direction does not turn the sentence around. */
const quoted = (name: string) => `“\u2068${name}\u2069”`;

test('search answers while one types', async ({ page, flowdeck, signIn, visit }) => {
  await signIn(flowdeck.data.reader);
  await visit('/experiments');
  const search = page.getByRole('searchbox', { name: 'Search experiments' });
  await search.pressSequentially('bert');
  await expect(page.getByRole('rowheader')).toHaveCount(1);
  await expect(page).toHaveURL(/[?&]q=bert/);
  await search.press('Escape');
  await expect(search).toHaveValue('');
  await expect(page.getByRole('link', { name: 'sweep-of-learning-rates' })).toBeVisible();
  await expect(page).not.toHaveURL(/q=/);
});

test('a new experiment', async ({ page, person, signIn, visit }) => {
  const folder = `folder-${fresh()}`;
  person.made.push(await person.experiment(`${folder}/there-already`));
  await signIn(person);
  await visit(`/experiments?folder=${folder}`);
  await page.getByRole('button', { name: 'New experiment' }).click();
  const dialog = page.getByRole('dialog', { name: 'New experiment' });
  const name = dialog.getByLabel('Name');
  await expect(name).toBeFocused();
  await expect(name).toHaveValue(`${folder}/`);

  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(dialog.getByRole('alert')).toContainText('behind the last slash');
  await name.fill('');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(dialog.getByRole('alert')).toContainText('needs a name');

  await name.fill(`${folder}/neu & <b>fett 🦊`);
  await name.press('Enter');
  await expect(page).toHaveURL(/\/experiments\/\d+$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('neu & <b>fett 🦊');
  person.made.push(page.url().split('/').at(-1) ?? '');
  await page.goBack();
  await expect(page.getByRole('link', { name: 'neu & <b>fett 🦊' })).toBeVisible();
});

test('a name that is taken is told at the field, and the text stays', async ({ page, guard, person, signIn, visit }) => {
  guard.expectStatus(400, /experiments\/create$/);
  const name = `taken-${fresh()}`;
  await person.experiment(name);
  await signIn(person);
  await visit('/experiments');
  await page.getByRole('button', { name: 'New experiment' }).click();
  const dialog = page.getByRole('dialog', { name: 'New experiment' });
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(dialog.getByRole('alert')).toContainText(/exist|taken|already/);
  await expect(dialog.getByLabel('Name')).toHaveValue(name);
  await expect(dialog.getByLabel('Name')).toHaveAttribute('aria-invalid', 'true');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('button', { name: 'New experiment' })).toBeFocused();
});

test('another name', async ({ page, person, signIn, visit }) => {
  const folder = `folder-${fresh()}`;
  await person.experiment(`${folder}/old-name`);
  await signIn(person);
  await visit(`/experiments?folder=${folder}`);
  await page.getByRole('button', { name: `Actions for ${folder}/old-name` }).click();
  await page.getByRole('button', { name: 'Rename…' }).click();
  const dialog = page.getByRole('dialog', { name: /^Rename/ });
  await expect(dialog.getByLabel('Name')).toHaveValue(`${folder}/old-name`);
  await dialog.getByLabel('Name').fill(`${folder}/new-name`);
  await dialog.getByRole('button', { name: 'Rename' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('link', { name: 'new-name' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'old-name' })).toHaveCount(0);
  await reload(page);
  await expect(page.getByRole('link', { name: 'new-name' })).toBeVisible();
});

test('deleting can be undone, and later restored', async ({ page, person, rest, signIn, visit }) => {
  const folder = `folder-${fresh()}`;
  const id = await person.experiment(`${folder}/away`);
  await person.experiment(`${folder}/stays`);
  await signIn(person);
  await visit(`/experiments?folder=${folder}`);
  const stage = async () => (await rest.get('experiments/get', { experiment_id: id })).experiment.lifecycle_stage;
  const remove = async () => {
    await page.getByRole('button', { name: `Actions for ${folder}/away` }).click();
    await page.getByRole('group', { name: 'Actions for the experiment' }).getByRole('button', { name: 'Delete' }).click();
    await expect(page.getByRole('link', { name: 'away' })).toHaveCount(0);
    await expect(page.getByText(`Deleted ${quoted(`${folder}/away`)}`)).toBeVisible();
    await expect.poll(stage).toBe('deleted');
  };

  await remove();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('link', { name: 'away' })).toBeVisible();
  await expect.poll(stage).toBe('active');

  await remove();
  await page.getByRole('navigation', { name: 'Which experiments' }).getByRole('link', { name: 'Deleted' }).click();
  await expect(page.getByRole('link', { name: 'away' })).toBeVisible();
  await page.getByRole('row', { name: /away/ }).getByRole('button', { name: 'Restore' }).click();
  await expect(page.getByText(`Restored ${quoted(`${folder}/away`)}`)).toBeVisible();
  await expect.poll(stage).toBe('active');
  await page.getByRole('navigation', { name: 'Which experiments' }).getByRole('link', { name: 'Active' }).click();
  await expect(page.getByRole('link', { name: 'away' })).toBeVisible();
});

test('tags and the note of an experiment', async ({ page, person, rest, signIn, visit }) => {
  const folder = `folder-${fresh()}`;
  const id = await person.experiment(`${folder}/tagged`);
  await signIn(person);
  await visit(`/experiments?folder=${folder}`);
  const actions = page.getByRole('button', { name: `Actions for ${folder}/tagged` });
  await actions.click();
  await page.getByRole('button', { name: 'Tags…' }).click();
  const tags = page.getByRole('dialog', { name: /^Tags of/ });
  await tags.getByLabel('Key').fill('team');
  await tags.getByLabel('Value').fill('vision 🦊');
  await tags.getByRole('button', { name: 'Set' }).click();
  await expect(tags.getByText('vision 🦊')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('row', { name: /tagged/ })).toContainText('vision 🦊');

  await actions.click();
  await page.getByRole('button', { name: 'Note…' }).click();
  const note = page.getByRole('dialog', { name: /^Note on/ });
  await note.getByLabel('Note, in Markdown').fill('# What it is for\n\n**Everything.**');
  await note.getByRole('button', { name: 'Preview' }).click();
  await expect(note.getByRole('heading', { name: 'What it is for' })).toBeVisible();
  await note.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('row', { name: /tagged/ })).toContainText('What it is for');

  const kept = async () => {
    const { tags } = (await rest.get('experiments/get', { experiment_id: id })).experiment;
    return Object.fromEntries((tags ?? []).map(({ key, value }: { key: string; value: string }) => [key, value]));
  };
  await expect.poll(kept).toMatchObject({ team: 'vision 🦊', 'mlflow.note.content': '# What it is for\n\n**Everything.**' });

  await actions.click();
  await page.getByRole('button', { name: 'Tags…' }).click();
  await tags.getByRole('button', { name: 'Remove the tag team' }).click();
  await expect(tags.getByText('No tags yet.')).toBeVisible();
  await expect.poll(async () => Object.keys(await kept())).not.toContain('team');
});

test('what is refused is taken back visibly', async ({ page, guard, flowdeck, rest, signIn, visit }) => {
  guard.expectStatus(403, /experiments\/delete$/);
  const name = `not-yours-${fresh()}`;
  const id = await rest.experiment(name);
  await signIn(flowdeck.data.reader);
  await visit(`/experiments?q=${name}`);
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('group', { name: 'Actions for the experiment' }).getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText(`${quoted(name)} was not deleted`)).toBeVisible();
  await expect(page.getByRole('link', { name })).toBeVisible();
  await rest.post('experiments/delete', { experiment_id: id });
});
