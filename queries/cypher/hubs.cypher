// question: Which entities do the most accounts have in common, and how many of those are in rings?
// param type (text = any): ip, instrument, device, template, or any
// param at_least (integer = 2): entities with fewer accounts are left out
// param top (integer = 25): how many to show
// columns: type, id, kind, accounts, accounts_in_rings, rings
// example: --param type=instrument --param top=10
MATCH (entity:IP|PaymentInstrument|Device|PromptTemplate)
WITH
  entity,
  {IP: 'ip', PaymentInstrument: 'instrument', Device: 'device', PromptTemplate: 'template'}[labels(entity)[0]] AS type,
  coalesce(entity.address, entity.instrument_id, entity.device_id, entity.template_id) AS id,
  COUNT { (entity)<-[:USED_IP|PAID_WITH|USED_DEVICE|SENT]-() } AS accounts
WHERE accounts >= $at_least AND $type IN ['any', type]
ORDER BY accounts DESC, type, id
LIMIT $top
CALL (entity) {
  MATCH (entity)<-[:USED_IP|PAID_WITH|USED_DEVICE|SENT]-(account:Account)-[:MEMBER_OF]->(ring:Ring)
  RETURN count(DISTINCT account) AS accounts_in_rings, count(DISTINCT ring) AS rings
}
RETURN type, id, entity.kind AS kind, accounts, accounts_in_rings, rings
ORDER BY accounts DESC, type, id
