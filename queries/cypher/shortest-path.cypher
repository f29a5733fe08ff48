// question: What is the shortest way from one account to another over shared entities and transfers?
// param account_a (text): the account to start at
// param account_b (text): the account to reach
// param max_accounts (integer = 1000): entities that more accounts have are not walked through
// columns: step, from, relation, to
// example: --param account_a=acct-1 --param account_b=acct-2
MATCH (a:Account {account_id: $account_a})
MATCH (b:Account {account_id: $account_b})
WHERE a <> b
MATCH path = shortestPath(
  (a)-[:USED_IP|PAID_WITH|USED_DEVICE|SENT|TRANSFERRED_TO|BELONGS_TO*..12]-(b)
)
WHERE all(node IN nodes(path) WHERE coalesce(node.accounts, 0) <= $max_accounts)
WITH
  relationships(path) AS relations,
  [node IN nodes(path) |
    {
      Account: 'account', IP: 'ip', PaymentInstrument: 'instrument', Device: 'device',
      PromptTemplate: 'template', Organization: 'organization'
    }[labels(node)[0]] + ':' + coalesce(
      node.account_id, node.address, node.instrument_id, node.device_id, node.template_id, node.org_id
    )] AS names
UNWIND range(0, size(relations) - 1) AS i
RETURN i + 1 AS step, names[i] AS from, type(relations[i]) AS relation, names[i + 1] AS to
ORDER BY step
