// Words of the page in both languages. `say` fills in {0}, and {0|item|items} by number.
const WORDS = {
  en: {
    title: 'Review of rights', skip: 'Skip to the content', other: '한국어', decisions: 'Decisions', help: 'Keys',
    locked: 'Open the address that `malmoi review` printed; it holds the secret of this run.',
    gone: 'The server does not answer. Start `malmoi review` again, and open the address that it prints.',
    stale: 'The items have changed since they were shown. Nothing was decided; this is the queue as it is now.',
    empty: 'Nothing to review', emptyMore: 'No document of this workspace waits for a decision.',
    left: '{0|document|documents} in {1|group|groups}', filter: 'Filter by source, licence, kind, place', nothing: 'No group matches the filter.',
    items: '{0|item|items}', read: '{0} of {1} read', readAll: 'all {0} read', noLicence: 'no licence read', at: 'at', more: 'Load more items',
    found: 'What was found', source: 'Source', licence: 'Licence', kind: 'Kind', place: 'Place', reasons: 'Why a person decides', use: 'Use if granted',
    redistribute: 'publication and training', 'train-only': 'training only', exclude: 'none', attribution: 'attribution', 'share-alike': 'share-alike',
    grantAll: 'Grant {0} to all {1}', denyAll: 'Deny all {0}', addresses: 'By address…', grant: 'Grant', deny: 'Deny', clear: 'Cleared find',
    grantItem: 'Grant this item', denyItem: 'Deny this item', cannot: 'The licence of this group permits no use. Decide items or addresses and choose the licence that you read.',
    order: 'The order is random and fixed, so the first items are a sample of the group.',
    archived: 'The mark in the archived page', text: 'The text of the item', evidence: 'Mark {0}', cut: '… {0} more characters',
    previous: 'Previous', next: 'Next', number: '{0} of {1}', noText: 'The text is empty.', noMarks: 'No mark was found on this item.', signals: 'Signals',
    'o-text': 'in the visible text', 'o-markup': 'in the source of the page, not in its visible text',
    'o-parts': 'in parts, each word for word in the text or in the source of the page', 'o-hidden': 'Not all of the quote is in the record word for word; its format hides it.',
    'o-missing': 'The record is not in this workspace.', 'o-unreadable': 'The record cannot be read.',
    quote: 'quote', record: 'record',
    confirmGrant: 'Grant {0} to {1|item|items} of {2}?', confirmDeny: 'Deny {1|item|items} of {2}?', 'grant-item': 'Grant a licence to this item of {0}?', 'deny-item': 'Deny this item of {0}?',
    'grant-addresses': 'Grant a licence to addresses of {0}?', 'deny-addresses': 'Deny addresses of {0}?',
    toShape: 'The decision covers this shape, so also its items that come later.', toItem: 'The decision covers this item only.', toAddresses: 'The decision covers the addresses below, also those that come later.', matches: 'Matches {0|item|items}', youRead: 'You have read {0} of them.', youReadNone: 'You have read none of them.',
    who: 'Your name or role', why: 'Reason', whoHelp: 'Releases publish it.', confirm: 'Confirm', cancel: 'Cancel', prefix: 'Addresses that start with',
    doneGrant: 'Granted {0} to {1|item|items}.', doneDeny: 'Denied {0|item|items}.', undo: 'Undo', undone: 'The decision is revoked. The items are back in the queue.', undoReason: 'undone on the review page',
    nothingToUndo: 'There is no decision of this page to undo.', date: 'Date', target: 'Target', revoke: 'Revoke', revoked: 'revoked', noDecisions: 'No decision yet.', confirmRevoke: 'Revoke this decision?',
    revokeMore: 'The next run takes its documents out of the release.', close: 'Close', back: 'Groups', verdict: 'Decision', documents: 'The next malmoi run applies the decisions.',
    k1: 'next, previous', k2: 'open the group', k3: 'grant, deny the whole group', k4: 'grant, deny this item', k5: 'decide by address', k6: 'undo the last decision', k7: 'filter', k8: 'back to the groups', k9: 'decisions', k10: 'this list', k11: 'confirm, cancel',
  },
  ko: {
    title: '이용허락 검토', skip: '본문으로', other: 'English', decisions: '결정 목록', help: '단축키',
    locked: '`malmoi review`가 출력한 주소로 여십시오. 그 주소에 이번 실행의 비밀 값이 있습니다.',
    gone: '서버가 응답하지 않습니다. `malmoi review`를 다시 시작하고 출력된 주소를 여십시오.',
    stale: '화면에 표시된 뒤 항목이 바뀌어 아무것도 결정하지 않았습니다. 지금의 대기열을 표시합니다.',
    empty: '검토할 문서가 없습니다', emptyMore: '이 작업 공간에는 결정을 기다리는 문서가 없습니다.',
    left: '문서 {0}건, 그룹 {1}개', filter: '소스, 라이선스, 종류, 위치로 필터', nothing: '필터에 맞는 그룹이 없습니다.',
    items: '{0}건', read: '{1}건 중 {0}건 확인', readAll: '{0}건 모두 확인', noLicence: '라이선스 없음', at: '위치', more: '항목 더 불러오기',
    found: '발견한 내용', source: '소스', licence: '라이선스', kind: '종류', place: '위치', reasons: '검토 사유', use: '허락 시 이용 범위',
    redistribute: '공개와 학습', 'train-only': '학습만', exclude: '없음', attribution: '출처 표시', 'share-alike': '동일조건 변경허락',
    grantAll: '{1}건 모두 {0} 허락', denyAll: '{0}건 모두 거부', addresses: '주소로 결정…', grant: '허락', deny: '거부', clear: '오탐 해제',
    grantItem: '이 항목 허락', denyItem: '이 항목 거부', cannot: '이 그룹의 라이선스로는 이용할 수 없습니다. 항목이나 주소별로, 직접 확인한 라이선스를 골라 결정하십시오.',
    order: '순서는 고정된 무작위이므로 앞의 항목들이 그룹의 표본입니다.',
    archived: '보존된 페이지 속 표시', text: '항목의 텍스트', evidence: '표시 {0}', cut: '… {0}자 더 있음',
    previous: '이전', next: '다음', number: '{1}건 중 {0}번째', noText: '텍스트가 비어 있습니다.', noMarks: '이 항목에서 표시를 찾지 못했습니다.', signals: '신호',
    'o-text': '보이는 텍스트에 있음', 'o-markup': '보이는 텍스트가 아니라 페이지 소스에 있음',
    'o-parts': '여러 부분으로 나뉘어 각각 텍스트나 페이지 소스에 그대로 있음', 'o-hidden': '인용문 전체가 레코드에 그대로 있지는 않습니다. 형식 때문에 가려졌습니다.',
    'o-missing': '레코드가 이 작업 공간에 없습니다.', 'o-unreadable': '레코드를 읽을 수 없습니다.',
    quote: '인용', record: '레코드',
    confirmGrant: '{2}의 {1}건에 {0}을(를) 허락합니까?', confirmDeny: '{2}의 {1}건을 거부합니까?', 'grant-item': '{0}의 이 항목에 라이선스를 허락합니까?', 'deny-item': '{0}의 이 항목을 거부합니까?',
    'grant-addresses': '{0}의 주소에 라이선스를 허락합니까?', 'deny-addresses': '{0}의 주소를 거부합니까?',
    toShape: '결정은 이 유형에 적용되므로 앞으로 들어올 같은 유형의 항목에도 적용됩니다.', toItem: '결정은 이 항목에만 적용됩니다.', toAddresses: '결정은 아래 주소에 적용되며, 앞으로 들어올 주소에도 적용됩니다.', matches: '{0}건 해당', youRead: '그중 {0}건을 확인했습니다.', youReadNone: '그중 확인한 것이 없습니다.',
    who: '이름 또는 역할', why: '사유', whoHelp: '릴리스에 공개됩니다.', confirm: '확정', cancel: '취소', prefix: '다음으로 시작하는 주소',
    doneGrant: '{1}건에 {0} 허락.', doneDeny: '{0}건 거부.', undo: '되돌리기', undone: '결정을 철회했습니다. 항목이 대기열로 돌아왔습니다.', undoReason: '검토 화면에서 되돌림',
    nothingToUndo: '이 화면에서 되돌릴 결정이 없습니다.', date: '날짜', target: '대상', revoke: '철회', revoked: '철회됨', noDecisions: '아직 결정이 없습니다.', confirmRevoke: '이 결정을 철회합니까?',
    revokeMore: '다음 실행에서 해당 문서가 릴리스에서 빠집니다.', close: '닫기', back: '그룹 목록', verdict: '결정', documents: '다음에 malmoi run을 실행하면 결정이 반영됩니다.',
    k1: '다음, 이전', k2: '그룹 열기', k3: '그룹 전체 허락, 거부', k4: '이 항목 허락, 거부', k5: '주소로 결정', k6: '마지막 결정 되돌리기', k7: '필터', k8: '그룹 목록으로', k9: '결정 목록', k10: '이 목록', k11: '확정, 취소',
  },
};

// Names of proofs, candidates and reasons; a name that is missing here is shown as it is.
const NAMES = {
  en: {
    field: 'labelled field', 'kogl-block': 'KOGL block', 'rel-license': 'rel=license link', 'json-ld': 'JSON-LD licence', 'licence-file': 'licence file', 'dump-claim': 'claim of the publisher', 'project-licence': 'licence of the project', statute: 'statute',
    link: 'link', image: 'image', sentence: 'sentence', metadata: 'metadata', words: 'words', cell: 'cell', claim: 'claim', item: 'on the item', site: 'on the site', source: 'on the source',
    'no-proof': 'no accepted proof', 'outside-boards': 'the address is not one of the publisher’s own boards', author: 'the author is not the one that the source names', 'unexpected-licence': 'another licence than the source declares', 'third-party': 'written by a third party', conflict: 'marks contradict each other',
  },
  ko: {
    field: '라벨 필드', 'kogl-block': '공공누리 블록', 'rel-license': 'rel=license 링크', 'json-ld': 'JSON-LD 라이선스', 'licence-file': '라이선스 파일', 'dump-claim': '발행자의 명시', 'project-licence': '프로젝트 라이선스', statute: '법령',
    link: '링크', image: '이미지', sentence: '문장', metadata: '메타데이터', words: '문구', cell: '셀', claim: '명시', item: '항목', site: '사이트', source: '소스',
    'no-proof': '인정되는 증명 없음', 'outside-boards': '발행자 게시판의 주소가 아님', author: '작성자가 소스가 지정한 작성자가 아님', 'unexpected-licence': '소스가 선언한 것과 다른 라이선스', 'third-party': '제삼자가 작성함', conflict: '표시가 서로 모순됨',
  },
};

export const language = { now: 'en' };

// Words of another page; a name that both have is that page's.
export function addWords(more) {
  for (const one of Object.keys(WORDS)) Object.assign(WORDS[one], more[one]);
}

export function say(name, ...values) {
  const counted = (_, at, one, many) => `${values[at]} ${String(values[at]) === '1' ? one : many}`;
  return WORDS[language.now][name].replace(/\{(\d)\|([^|}]*)\|([^}]*)\}/g, counted).replace(/\{(\d)\}/g, (_, at) => String(values[at]));
}

export function nameOf(id) {
  const plain = id.startsWith('web:') ? id.slice(4) : id;
  return NAMES[language.now][plain] ?? id;
}
