import { CompositePrincipal, type IPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { functionsFor } from '../core/optional-states.ts';
import { functionsOfRole, ROLE_NAMES, type RoleName } from '../core/roles.ts';
import { acknowledge } from './acknowledge.ts';
import { grantAll, type Workplace } from './permissions.ts';
import { functionsOf, machinesOf, schedulesOf } from './principals.ts';

/** By the kind of work; what they are for says lib/core/roles.ts. */
export type Roles = Readonly<Record<Exclude<RoleName, 'Serve'>, Role>> & { readonly Serve?: Role };

const PURPOSES: Readonly<Record<RoleName, string>> = {
  Open: 'What opens and ends runs',
  Work: 'What works on the data',
  Publish: 'What publishes tables',
  Serve: 'What serves tables outside the lake',
  Run: 'What starts runs and tells of them, the state machines and the schedules',
};

/** The roles of a pipeline: four, so that an account has room for 200 pipelines, and one more for a pipeline that serves. */
export function createRoles(scope: Construct, workplace: Workplace): Roles {
  const there = functionsFor(workplace.spec);
  const named = ROLE_NAMES.filter((name) => functionsOfRole(name).some((one) => there.includes(one)));
  const made = named.map((name) => {
    const role = new Role(scope, `${name}Role`, {
      assumedBy: takersOf(scope, name),
      description: `${PURPOSES[name]} of the pipeline ${workplace.spec.name}`,
    });
    grantAll(role, name, workplace);
    return [name, role] as const;
  });
  return Object.fromEntries(made) as Roles;
}

/** Acknowledges what the CDK adds to a role for each function, once all are made. */
export function acknowledgeTracing(roles: Roles): void {
  for (const role of Object.values(roles)) {
    acknowledge(
      role.node.findChild('DefaultPolicy'),
      'IAM5[Resource::*]',
      'X-Ray has no resources that a policy could name',
    );
  }
}

function takersOf(scope: Construct, name: RoleName): IPrincipal {
  const functions = functionsOf(scope);
  return name === 'Run' ? new CompositePrincipal(functions, machinesOf(scope), schedulesOf(scope)) : functions;
}
