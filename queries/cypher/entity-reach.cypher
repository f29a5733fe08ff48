// question: Which accounts does an entity reach?
// param type (text): ip, instrument, device, template, subnet, asn or organization
// param id (text): the entity's id, such as 192.0.2.7
// columns: account_id, count, first_seen, last_seen, status, banned_at, ring_id, role
// example: --param type=ip --param id=192.0.2.7
CALL () {
  MATCH (:IP {address: $id})<-[sighting:USED_IP]-(account:Account)
  WHERE $type = 'ip'
  RETURN account, sighting
UNION ALL
  MATCH (:PaymentInstrument {instrument_id: $id})<-[sighting:PAID_WITH]-(account:Account)
  WHERE $type = 'instrument'
  RETURN account, sighting
UNION ALL
  MATCH (:Device {device_id: $id})<-[sighting:USED_DEVICE]-(account:Account)
  WHERE $type = 'device'
  RETURN account, sighting
UNION ALL
  MATCH (:PromptTemplate {template_id: $id})<-[sighting:SENT]-(account:Account)
  WHERE $type = 'template'
  RETURN account, sighting
UNION ALL
  MATCH (:Subnet {cidr: $id})<-[:IN_SUBNET]-(:IP)<-[sighting:USED_IP]-(account:Account)
  WHERE $type = 'subnet'
  RETURN account, sighting
UNION ALL
  MATCH (:ASN {asn: $id})<-[:IN_ASN]-(:Subnet)<-[:IN_SUBNET]-(:IP)<-[sighting:USED_IP]-(account:Account)
  WHERE $type = 'asn'
  RETURN account, sighting
UNION ALL
  MATCH (:Organization {org_id: $id})<-[sighting:BELONGS_TO]-(account:Account)
  WHERE $type = 'organization'
  RETURN account, sighting
}
WITH
  account,
  sum(sighting.count) AS count,
  min(sighting.first_seen) AS first_seen,
  max(sighting.last_seen) AS last_seen
OPTIONAL MATCH (account)-[member:MEMBER_OF]->(ring:Ring)
RETURN
  account.account_id AS account_id,
  count,
  first_seen,
  last_seen,
  account.status AS status,
  account.banned_at AS banned_at,
  ring.ring_id AS ring_id,
  member.role AS role
ORDER BY first_seen, account_id
