// question: Why are two accounts linked: what does each evidence family weigh, and what do they share?
// param account_a (text): an account's id
// param account_b (text): the other account's id
// columns: evidence, what, weight, accounts, count_a, count_b, first_seen_a, last_seen_a, first_seen_b, last_seen_b
// example: --param account_a=acct-1 --param account_b=acct-2
MATCH (a:Account {account_id: $account_a})
MATCH (b:Account {account_id: $account_b})
CALL (a, b) {
  MATCH (a)-[link:LINKED_TO]-(b)
  UNWIND ['weight', 'network', 'payment', 'device', 'content', 'timing', 'lifecycle'] AS family
  WITH 0 AS rank, family, link[family] AS weight
  WHERE weight <> 0
  RETURN
    rank,
    CASE family WHEN 'weight' THEN 'link' ELSE 'family' END AS evidence,
    CASE family WHEN 'weight' THEN 'all families' ELSE family END AS what,
    weight,
    null AS accounts, null AS count_a, null AS count_b,
    null AS first_seen_a, null AS last_seen_a, null AS first_seen_b, null AS last_seen_b
UNION ALL
  MATCH (a)-[by_a:USED_IP|PAID_WITH|USED_DEVICE|SENT]->(entity)<-[by_b:USED_IP|PAID_WITH|USED_DEVICE|SENT]-(b)
  RETURN
    1 AS rank,
    'shared' AS evidence,
    {IP: 'ip', PaymentInstrument: 'instrument', Device: 'device', PromptTemplate: 'template'}[labels(entity)[0]]
      + ':' + coalesce(entity.address, entity.instrument_id, entity.device_id, entity.template_id) AS what,
    null AS weight,
    COUNT { (entity)<-[:USED_IP|PAID_WITH|USED_DEVICE|SENT]-() } AS accounts,
    by_a.count AS count_a, by_b.count AS count_b,
    by_a.first_seen AS first_seen_a, by_a.last_seen AS last_seen_a,
    by_b.first_seen AS first_seen_b, by_b.last_seen AS last_seen_b
UNION ALL
  MATCH (a)-[transfer:TRANSFERRED_TO]-(b)
  WITH transfer, startNode(transfer) = a AS by_a
  RETURN
    2 AS rank,
    'transfer' AS evidence,
    CASE WHEN by_a THEN 'a to b' ELSE 'b to a' END AS what,
    null AS weight, null AS accounts,
    CASE WHEN by_a THEN transfer.count END AS count_a,
    CASE WHEN by_a THEN null ELSE transfer.count END AS count_b,
    CASE WHEN by_a THEN transfer.first_seen END AS first_seen_a,
    CASE WHEN by_a THEN transfer.last_seen END AS last_seen_a,
    CASE WHEN by_a THEN null ELSE transfer.first_seen END AS first_seen_b,
    CASE WHEN by_a THEN null ELSE transfer.last_seen END AS last_seen_b
}
RETURN evidence, what, weight, accounts, count_a, count_b, first_seen_a, last_seen_a, first_seen_b, last_seen_b
ORDER BY rank, weight DESC, accounts, what
