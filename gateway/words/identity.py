"""What identity refuses."""

from __future__ import annotations

from gateway.words import Words

IDENTITY: Words = {
    "credentials-invalid": (
        401,
        "E-mail, password or code are not right.",
        "El correo, la contraseña o el código no son correctos.",
    ),
    "password-expired": (
        401,
        "Your password has reached its age. Ask for a new one.",
        "Su contraseña ha caducado. Solicite una nueva.",
    ),
    "refresh-token-used": (
        401,
        "This refresh token was used already. Log in again.",
        "Este token de renovación ya se usó. Inicie sesión de nuevo.",
    ),
    "totp-required": (
        401,
        "Give the code of your authenticator as well.",
        "Indique también el código de su autenticador.",
    ),
    "totp-invalid": (401, "The code is not right.", "El código no es correcto."),
    "beyond-own-permissions": (
        403,
        "You can only give permissions that you have yourself.",
        "Solo puede otorgar permisos que usted mismo tiene.",
    ),
    "device-key-set": (
        409,
        "This device has a key already. An app set up anew is a new device.",
        "Este dispositivo ya tiene una clave. Una aplicación instalada de nuevo es otro dispositivo.",
    ),
    "device-session-required": (
        409,
        "Log in on this device first (`kind: device`).",
        "Inicie sesión primero en este dispositivo (`kind: device`).",
    ),
    "proof-invalid": (403, "The proof does not fit the key.", "La prueba no corresponde a la clave."),
    "device-revoked": (403, "This device has been locked out.", "Este dispositivo fue bloqueado."),
    "ip-not-allowed": (
        403,
        "The account does not admit this network address.",
        "La cuenta no admite esta dirección de red.",
    ),
    "user-inactive": (403, "This user is not active.", "Este usuario no está activo."),
    "own-role": (403, "You cannot change your own role.", "Usted no puede cambiar su propio rol."),
    "role-above-own": (
        403,
        "You cannot decide over a role above your own.",
        "Usted no puede decidir sobre un rol superior al suyo.",
    ),
    "account-restricted": (
        403,
        "An invoice is overdue: work can be finished, nothing new planned. Pay it under Billing.",
        "Hay una factura vencida: se puede terminar el trabajo, no planear más. Páguela en Facturación.",
    ),
    "account-suspended": (
        403,
        "This account is suspended by an overdue invoice. An owner or administrator can pay it under Billing.",
        "Cuenta suspendida por una factura vencida. Un propietario o administrador puede pagarla en Facturación.",
    ),
    "account-paused": (
        403,
        "This account is paused: everything can be read, nothing changed. Its owner can resume it under Billing.",
        "La cuenta está en pausa: todo se puede leer, nada cambiar. Su propietario puede reanudarla en Facturación.",
    ),
    "account-cancelled": (
        403,
        "This subscription was cancelled. Its owner can still read and export everything.",
        "Esta suscripción fue cancelada. Su propietario aún puede leer y exportar todo.",
    ),
    "account-exists": (409, "This account exists already.", "Esta cuenta ya existe."),
    "cannot-deactivate-yourself": (
        409,
        "You cannot deactivate yourself.",
        "Usted no puede desactivarse a sí mismo.",
    ),
    "email-taken": (
        409,
        "This e-mail address is in use already.",
        "Esta dirección de correo ya está en uso.",
    ),
    "last-owner": (
        409,
        "This is the account's last owner.",
        "Es el último propietario de la cuenta.",
    ),
    "no-free-seat": (
        409,
        "Every paid seat of the account is taken. Ask an administrator to free one or to add seats; nothing is lost.",
        "Todas las licencias pagas están ocupadas. Un administrador puede liberar una o agregar más; nada se pierde.",
    ),
    "seat-forfeited": (
        409,
        "The seat was given to somebody else at the same moment. Try again.",
        "La licencia se asignó a otra persona en el mismo momento. Intente de nuevo.",
    ),
    "profile-exists": (409, "This profile exists already.", "Este perfil ya existe."),
    "session-exists": (409, "This session exists already.", "Esta sesión ya existe."),
    "team-cycle": (
        409,
        "A team cannot be below itself.",
        "Un equipo no puede estar por debajo de sí mismo.",
    ),
    "team-exists": (409, "This team exists already.", "Este equipo ya existe."),
    "team-has-children": (
        409,
        "There are still teams below this one.",
        "Todavía hay equipos por debajo de este.",
    ),
    "token-exists": (409, "This API token exists already.", "Este token de API ya existe."),
    "totp-already-enabled": (
        409,
        "A second factor is set up already.",
        "Ya hay un segundo factor configurado.",
    ),
    "totp-not-enrolled": (
        409,
        "Begin setting up the second factor first.",
        "Primero inicie la configuración del segundo factor.",
    ),
    "totp-required-by-policy": (
        409,
        "The account's policy asks you for a second factor.",
        "La política de la cuenta le exige un segundo factor.",
    ),
    "user-exists": (409, "This user exists already.", "Este usuario ya existe."),
    "user-not-active": (409, "This user is not active.", "Este usuario no está activo."),
    "user-not-invited": (
        409,
        "There is no open invitation for this user.",
        "No hay una invitación abierta para este usuario.",
    ),
    "invitation-expired": (410, "This invitation has expired.", "Esta invitación ha vencido."),
    "reset-expired": (
        410,
        "This link has expired. Ask for a new one.",
        "Este enlace ha vencido. Solicite uno nuevo.",
    ),
    "expiry-out-of-range": (
        422,
        "The expiry must lie in the future, one year ahead at most.",
        "El vencimiento debe estar en el futuro, a un año como máximo.",
    ),
    "invitation-invalid": (
        422,
        "This invitation does not hold any more, or never did.",
        "Esta invitación ya no es válida, o nunca lo fue.",
    ),
    "ip-list-excludes-you": (
        422,
        "This list would lock out the address you are using.",
        "Esta lista dejaría por fuera la dirección que usted usa.",
    ),
    "password-contains-name": (
        422,
        "The password must not contain your name, e-mail or company.",
        "La contraseña no debe contener su nombre, correo o empresa.",
    ),
    "password-too-common": (
        422,
        "This password is too easy to guess.",
        "Esta contraseña es demasiado fácil de adivinar.",
    ),
    "password-too-long": (422, "The password is too long.", "La contraseña es demasiado larga."),
    "password-too-short": (422, "The password is too short.", "La contraseña es demasiado corta."),
    "permission-unknown": (
        422,
        "There is no such permission.",
        "Ese permiso no existe.",
    ),
    "reset-invalid": (
        422,
        "This link does not hold any more, or never did.",
        "Este enlace ya no es válido, o nunca lo fue.",
    ),
    "login-delayed": (
        429,
        "Too many wrong attempts. Wait before you try again.",
        "Demasiados intentos fallidos. Espere antes de intentar de nuevo.",
    ),
}
