import { REGISTRY_FILES } from '../../protocol/registry.ts';
import { registryLockContract } from './registry-lock.contract.ts';

registryLockContract({ kind: 'kernel', record: REGISTRY_FILES.lock });
registryLockContract({ kind: 'portable', record: 'portable-owner.json' });
