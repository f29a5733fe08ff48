// question: Which accounts first appear after a ban and share an entity with the banned account?
// param account (text = null): the banned account; every banned one where left out
// param within_days (integer = 30): how long after the ban they may appear
// param max_accounts (integer = 100): entities that more accounts have are not counted as shared
// columns: account_id, first_seen, banned_account_id, banned_at, hours_after, shared
// example: --param account=acct-1 --param within_days=7
MATCH (banned:Account)
WHERE banned.banned_at IS NOT NULL AND ($account IS NULL OR banned.account_id = $account)
MATCH (banned)-[:USED_IP|PAID_WITH|USED_DEVICE|SENT]->(entity)
WHERE COUNT { (entity)<-[:USED_IP|PAID_WITH|USED_DEVICE|SENT]-() } <= $max_accounts
MATCH (entity)<-[:USED_IP|PAID_WITH|USED_DEVICE|SENT]-(account:Account)
WITH banned, entity, account, coalesce(account.first_seen, account.created_at) AS first_seen
WHERE first_seen > banned.banned_at AND first_seen <= banned.banned_at + duration({days: $within_days})
WITH
  banned,
  account,
  first_seen,
  {IP: 'ip', PaymentInstrument: 'instrument', Device: 'device', PromptTemplate: 'template'}[labels(entity)[0]]
    + ':' + coalesce(entity.address, entity.instrument_id, entity.device_id, entity.template_id) AS name
ORDER BY name
WITH banned, account, first_seen, collect(DISTINCT name) AS shared
RETURN
  account.account_id AS account_id,
  first_seen,
  banned.account_id AS banned_account_id,
  banned.banned_at AS banned_at,
  round(duration.inSeconds(banned.banned_at, first_seen).seconds / 3600.0, 1) AS hours_after,
  shared
ORDER BY size(shared) DESC, hours_after, account_id, banned_account_id
