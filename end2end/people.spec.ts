// Users, roles and groups, read: with a script and without.

import { awake } from './lib/guard';
import { expect, fresh, test } from './lib/test';

test('users are found by a form, sorted, and lead to what they have', async ({ page, person, rest, signIn, visit, flowdeck, hasScript }) => {
  const [role, group] = [`read-${fresh()}`, `read-${fresh()}`];
  const there = { description: 'For reading' };
  const edits = [
    { edit: 'role', role, was: null, will: there },
    { edit: 'grant', to: { role }, on: { kind: 'experiment', id: '*' }, was: null, will: 'USE' },
    { edit: 'group', group, was: null, will: there },
    { edit: 'group_role', group, role, was: false, will: true },
    { edit: 'group_member', group, user: person.name, was: false, will: true },
  ];
  await rest.call('POST', '/api/flowdeck/v1/changes', { edits });
  await signIn(flowdeck.admin);
  await visit('/admin/users?state=active');
  await page.getByRole('searchbox', { name: 'Search users' }).fill(person.name);
  if (!hasScript) await page.getByRole('button', { name: 'Search' }).click();
  await expect(page).toHaveURL(new RegExp(`q=${person.name}`));
  const table = page.getByRole('table', { name: 'Users' });
  await expect(table.getByRole('row')).toHaveCount(2);
  await expect(table.getByRole('row').nth(1)).toContainText(`Active${role}`);
  await awake(page, hasScript);
  const keys = table.getByRole('link', { name: 'Keys' });
  await keys.focus();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/sort=-keys/);
  await expect(table.getByRole('columnheader', { name: 'Keys' })).toHaveAttribute('aria-sort', 'descending');
  if (hasScript) await expect(keys).toBeFocused();

  await table.getByRole('link', { name: person.name }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(person.name);
  await expect(page.getByRole('region', { name: 'Roles' })).toContainText(`by the group ${group}`);
  await awake(page, hasScript);
  await page.getByRole('region', { name: 'Roles' }).getByRole('link', { name: role }).click();
  await expect(page.getByRole('region', { name: 'Grants' })).toContainText('every experiment');
  await expect(page.getByRole('region', { name: 'Members' })).toContainText(person.name);
  await awake(page, hasScript);
  await page.getByRole('navigation', { name: 'Admin' }).getByRole('link', { name: 'Groups' }).click();
  await expect(page.getByRole('table', { name: 'Groups' }).getByRole('row').filter({ hasText: group })).toContainText(role);
  const gone = [
    { edit: 'group', group, was: there, will: null },
    { edit: 'role', role, was: there, will: null },
  ];
  await rest.call('POST', '/api/flowdeck/v1/changes', { edits: gone });
});
